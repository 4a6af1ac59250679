import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

export interface TestDatabase {
  /** By the service's role. */
  url: string;
  /** By the role that owns it. */
  ownerUrl: string;
  drop(): Promise<void>;
}

/** Somebody is connected to the template: another copy is being made of it. */
const OBJECT_IN_USE = '55006';
const COPY_DEADLINE_MS = 15_000;

/** A migrated, empty database of one's own: a copy of the run's template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const template = process.env.TEST_TEMPLATE!;
  const name = `${template}_${randomBytes(6).toString('hex')}`;
  await asAdmin((admin) => copy(admin, name, template));
  // By hand: URL parses no address of a unix socket, which has no host.
  const ownerUrl = process.env.TEST_DATABASE_ADMIN_URL!.replace(/^(\w+:\/\/[^/]*)(\/[^?]*)?/, `$1/${name}`);
  return {
    url: ownerUrl.replace(/^(\w+:\/\/)([^@/]*@)?/, `$1${process.env.TEST_DATABASE_SERVICE!}@`),
    ownerUrl,
    drop: () => asAdmin(async (admin) => void (await admin.query(`drop database if exists ${name} with (force)`))),
  };
}

/** Runs a statement, or several, as the role that owns the database. */
export const asOwner = (ownerUrl: string, sql: string): Promise<void> =>
  connected(ownerUrl, async (owner) => void (await owner.query(sql)));

async function copy(admin: pg.Client, name: string, template: string): Promise<void> {
  const { rows } = await admin.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  const strategy = rows[0].version >= 150_000 ? 'strategy file_copy' : '';
  for (const deadline = Date.now() + COPY_DEADLINE_MS; ;) {
    try {
      await admin.query(`create database ${name} template ${template} ${strategy}`);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== OBJECT_IN_USE || Date.now() > deadline) throw error;
      await sleep(25);
    }
  }
}

const asAdmin = (work: (admin: pg.Client) => Promise<void>): Promise<void> =>
  connected(process.env.TEST_DATABASE_ADMIN_URL!, work);

async function connected(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

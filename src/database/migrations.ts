import fs from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';

import { packageRoot } from '../common/package-root.js';
import { PostgresNaming } from './naming-strategy.js';
import { grantService } from './rights.js';

const FILE_NAME = /^(\d{13})-([a-z0-9-]+)\.sql$/;
/** Any constant: whoever migrates a Latchkey database holds this advisory lock. */
const LOCK_KEY = 7_205_759_403;

/** The database knows migrations that this build does not: it was made by a newer one. */
export class NewerSchemaError extends Error {
  constructor(name: string) {
    super(`the database was migrated by a newer build (${name}): run that one, or a newer one`);
  }
}

/** One TypeORM migration for each `migrations/<time>-<name>.sql`, in order of time. Forward only. */
export function sqlMigrations(folder = path.join(packageRoot, 'migrations')): (new () => MigrationInterface)[] {
  return fs
    .readdirSync(folder)
    .filter((file) => FILE_NAME.test(file))
    .toSorted()
    .map((file) => {
      const [, time, words] = FILE_NAME.exec(file)!;
      return class implements MigrationInterface {
        readonly name = `${words}-${time}`;
        async up(queryRunner: QueryRunner): Promise<void> {
          await queryRunner.query(fs.readFileSync(path.join(folder, file), 'utf8'));
        }
        down(): Promise<void> {
          return Promise.reject(new Error('migrations go forward only: write one that mends'));
        }
      };
    });
}

/** What is to come, and this role may not do it. */
export class MissingRightsError extends Error {
  constructor(pending: number) {
    super(
      `${pending} migrations are to come, and the role of DATABASE_URL may not change the schema: run \`latchkey migrate\` with DATABASE_MIGRATION_URL`,
    );
  }
}

/** The tables are another role's. */
export class NotOwnerError extends Error {
  constructor(owner: string) {
    super(`the tables belong to the role ${owner}: run \`latchkey migrate\` with that one in DATABASE_MIGRATION_URL`);
  }
}

export interface Addresses {
  /** By the role that the service works with. */
  readonly url: string;
  /** By the role that owns the schema, where that is another one. */
  readonly ownerUrl: string | null;
}

/**
 * Brings the schema to this build's, alone: an advisory lock keeps other processes waiting. Each file is one transaction. With an
 * owner of its own the service's role then gets its rights. Returns the names that were applied.
 * @throws NewerSchemaError where the database is ahead of this build
 * @throws MissingRightsError where something is to come, and no role is given that may do it
 * @throws NotOwnerError where the tables are not the owner's, or the service's role was never given its rights
 */
export async function migrate({ url, ownerUrl }: Addresses): Promise<string[]> {
  const client = new pg.Client({ connectionString: ownerUrl ?? url, application_name: 'latchkey-migrate' });
  client.on('error', () => {});
  await client.connect();
  try {
    const asOwner = ownerUrl !== null;
    if (!asOwner && (await pendingMigrations(client, asOwner)).length === 0) return [];
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    const pending = await pendingMigrations(client, asOwner);
    if (pending.length > 0) await run(client, ownerUrl ?? url, pending.length);
    if (asOwner) await grantService(client, url);
    return pending;
  } finally {
    await client.end(); // the lock goes with its connection
  }
}

async function run(client: pg.Client, url: string, pending: number): Promise<void> {
  const { rows } = await client.query<{ may: boolean }>(
    `select has_schema_privilege(current_schema()::text, 'create') as may`,
  );
  if (!rows[0].may) throw new MissingRightsError(pending);
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    applicationName: 'latchkey-migrate',
    migrations: sqlMigrations(),
    namingStrategy: new PostgresNaming(),
    installExtensions: false,
    poolSize: 1,
    extra: { options: '-c timezone=UTC' },
  });
  await dataSource.initialize();
  try {
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await dataSource.destroy();
  }
}

/** This build's that the database lacks, in order. @throws NewerSchemaError, NotOwnerError */
async function pendingMigrations(client: pg.Client, asOwner: boolean): Promise<string[]> {
  const known = sqlMigrations().map((Migration) => new Migration().name!);
  const { rows: tables } = await client.query<{ owner: string; owns: boolean; may_read: boolean }>(
    `select pg_get_userbyid(relowner) as owner, pg_has_role(relowner, 'usage') as owns, has_table_privilege(oid, 'select') as may_read
       from pg_class where oid = to_regclass('migrations')`,
  );
  if (tables.length === 0) return known;
  const [{ owner, owns, may_read: mayRead }] = tables;
  if (asOwner ? !owns : !mayRead) throw new NotOwnerError(owner);
  const { rows } = await client.query<{ name: string }>('select name from migrations order by id');
  const applied = rows.map(({ name }) => name);
  const unknown = applied.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new NewerSchemaError(unknown);
  return known.filter((name) => !applied.includes(name));
}

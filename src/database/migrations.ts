import fs from 'node:fs';
import path from 'node:path';

import pg from 'pg';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';

import { packageRoot } from '../common/package-root.js';

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

/**
 * Brings the schema to this build's, alone: an advisory lock on a connection of its own keeps
 * other processes waiting. Each file is one transaction. Returns the names that were applied.
 * @throws NewerSchemaError where the database is ahead of this build.
 */
export async function migrate(dataSource: DataSource, url: string): Promise<string[]> {
  const lock = new pg.Client({ connectionString: url, application_name: 'latchkey-migrate' });
  lock.on('error', () => {});
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    await refuseNewerSchema(lock);
    const applied = await dataSource.runMigrations({ transaction: 'each' });
    return applied.map((migration) => migration.name);
  } finally {
    await lock.end(); // the lock goes with its connection
  }
}

async function refuseNewerSchema(client: pg.Client): Promise<void> {
  const { rows: exists } = await client.query<{ found: boolean }>(
    `select to_regclass('migrations') is not null as found`,
  );
  if (!exists[0].found) return;
  const known = new Set(sqlMigrations().map((Migration) => new Migration().name!));
  const { rows } = await client.query<{ name: string }>('select name from migrations order by id');
  const unknown = rows.find(({ name }) => !known.has(name));
  if (unknown) throw new NewerSchemaError(unknown.name);
}

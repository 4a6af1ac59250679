import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { INSERT_AUDIT_EVENT_COLUMNS } from '../audit/audit.repository.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { ImportParts, PARTS_TABLES, PREPARE_PARTS } from './import-parts.repository.js';
import type { NamesOfRow, NewAccount, NewSeed, Repeated, Taken } from './stored-rows.js';
import { UserImport } from './user-import.entity.js';

/** PostgreSQL's code for a lock that did not come in time. */
const LOCK_TIMED_OUT = '55P03';

/**
 * Tables of this connection alone; they go with it, and are never written to the log. Batches wait for no disk: should the server fall,
 * rows and position are lost together, and the import goes on from there. The last transaction waits, for all of them.
 */
const PREPARE = `
  set synchronous_commit = off;
  create temporary table import_names (
    at integer primary key, line integer not null,
    username text collate "C" not null unique, email text collate "C" not null unique, id uuid unique
  );
  ${PREPARE_PARTS}`;
const TIDY = `drop table if exists pg_temp.import_names, ${PARTS_TABLES}; reset synchronous_commit`;

const GIVEN = 'unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::uuid[]) as g (at, line, username, email, id)';

/** A client's id is no user's: both are `sub` of tokens (RFC 9700, section 4.15). */
const TAKEN = `
  select g.at, u.id is not null as username, e.id is not null as email, i.id is not null or c.id is not null as id
    from ${GIVEN}
    left join users u on u.username_canonical = g.username
    left join users e on e.email_canonical = g.email
    left join users i on i.id = g.id
    left join clients c on c.id = g.id
   where u.id is not null or e.id is not null or i.id is not null or c.id is not null`;

const NOTE_NAMES = `
  insert into import_names (at, line, username, email, id) select * from ${GIVEN} order by at
  on conflict do nothing returning at`;

const REPEATED = `
  select g.at, (select line from import_names n where n.username = g.username) as username,
         (select line from import_names n where n.email = g.email) as email,
         (select line from import_names n where n.id = g.id) as id
    from ${GIVEN}`;

/** Accounts with their seeds and audit rows: all of an account, or nothing. Those whose name or id somebody has are left out. */
const INSERT = `
  with made as (
    insert into users (id, username, username_canonical, email, email_canonical, email_verified_at, password_hash,
                       password_changed_at, roles, is_active, must_change_password, second_factors, attributes, created_at, updated_at)
    select g.id, g.username, g.username_canonical, g.email, g.email_canonical, g.verified_at, g.hash, g.created_at,
           g.roles::text[], g.is_active, g.must_change, g.factors::text[], g.attributes::jsonb, g.created_at, $1
      from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[], $9::text[],
                  $10::boolean[], $11::boolean[], $12::text[], $13::text[], $14::timestamptz[])
             as g (id, username, username_canonical, email, email_canonical, verified_at, hash, roles,
                   is_active, must_change, factors, attributes, created_at)
     where not exists (select from clients c where c.id = g.id)
    on conflict do nothing
    returning id
  ), seeds as (
    insert into totp_authenticators (id, user_id, name, key_id, seed, confirmed_at, created_at)
    select s.id, s.user_id, s.name, s.key_id, s.seed, $1, $1
      from unnest($15::uuid[], $16::uuid[], $17::text[], $18::text[], $19::bytea[]) as s (id, user_id, name, key_id, seed)
      join made on made.id = s.user_id
  ), audited as (
    insert into audit_events (${INSERT_AUDIT_EVENT_COLUMNS})
    select a.id, $1, 'user.imported', 'success', null, a.user_id, null, $20, $21, $22, $23
      from unnest($24::uuid[], $2::uuid[]) as a (id, user_id) join made on made.id = a.user_id
  )
  select id from made`;

/** The table `user_imports`, and whole accounts. */
@Injectable()
export class ImportRepository {
  constructor(private readonly database: Database) {}

  /**
   * Runs `work` on a connection that holds the lock of this import, so that no other process imports the same meanwhile.
   * @throws Error where another one does
   */
  session<T>(importKey: Buffer, work: (session: ImportSession) => Promise<T>): Promise<T> {
    const lock = [importKey.readBigInt64BE(0).toString()];
    return this.database.onOneConnection(async (connection) => {
      try {
        await connection.query('select pg_advisory_lock($1)', lock);
      } catch (error) {
        if ((error as { code?: string }).code !== LOCK_TIMED_OUT) throw error;
        throw new Error('this file is being imported by another process at the moment');
      }
      try {
        await connection.query(PREPARE);
        return await work(new ImportSession(connection));
      } finally {
        // A connection that is gone took both with it.
        await connection.query(TIDY).catch(() => {});
        await connection.query('select pg_advisory_unlock($1)', lock).catch(() => {});
      }
    });
  }
}

/** One import on its connection. */
export class ImportSession {
  readonly parts: ImportParts;

  constructor(private readonly connection: EntityManager) {
    this.parts = new ImportParts(connection);
  }

  transaction<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return this.connection.transaction(work);
  }

  find(importKey: Buffer): Promise<UserImport | null> {
    return this.connection.findOneBy(UserImport, { importKey });
  }

  async begin(tx: EntityManager, state: UserImport): Promise<void> {
    await tx.insert(UserImport, state);
  }

  /** From the beginning, as if it had never been imported; the accounts of then stay. */
  async forget(tx: EntityManager, importKey: Buffer): Promise<void> {
    await tx.delete(UserImport, { importKey });
  }

  /** Notes in `tx` what a batch did. */
  async moveOn(tx: EntityManager, id: string, position: number, imported: number, refused: number): Promise<void> {
    await tx.query(
      'update user_imports set position = $2, imported = imported + $3, refused = refused + $4 where id = $1',
      [id, position, imported, refused],
    );
  }

  async finish(tx: EntityManager, id: string, now: Date): Promise<UserImport> {
    await tx.query('set local synchronous_commit = on');
    await tx.update(UserImport, { id }, { finishedAt: now });
    return tx.findOneByOrFail(UserImport, { id });
  }

  /** Those of `rows` that an account has a name of, or an account or a client the id. */
  findTaken(rows: readonly NamesOfRow[]): Promise<Taken[]> {
    return this.connection.query<Taken[]>(TAKEN, columnsOf(rows));
  }

  /** Notes the names of rows, in their order. A row that shares one with an earlier row is not noted, and returned. */
  async noteNames(rows: readonly NamesOfRow[]): Promise<Repeated[]> {
    const noted = await this.connection.query<{ at: number }[]>(NOTE_NAMES, columnsOf(rows));
    if (noted.length === rows.length) return [];
    const fresh = new Set(noted.map(({ at }) => at));
    return this.connection.query<Repeated[]>(REPEATED, columnsOf(rows.filter(({ at }) => !fresh.has(at))));
  }

  /** Which of these records were noted. */
  async listNoted(numbers: readonly number[]): Promise<Set<number>> {
    const rows = await this.connection.query<{ at: number }[]>('select at from import_names where at = any($1)', [
      numbers,
    ]);
    return new Set(rows.map(({ at }) => at));
  }

  /** Adds accounts. Returns the ids of those that were added: the others have a name that is taken. */
  async insert(
    tx: EntityManager,
    accounts: readonly NewAccount[],
    seeds: readonly NewSeed[],
    { importId, now, source }: { importId: string; now: Date; source: RequestSource },
  ): Promise<Set<string>> {
    const withSeed = new Set(seeds.map(({ userId }) => userId));
    const rows = await tx.query<{ id: string }[]>(INSERT, [
      now,
      accounts.map(({ id }) => id),
      accounts.map(({ username }) => username),
      accounts.map(({ usernameCanonical }) => usernameCanonical),
      accounts.map(({ email }) => email),
      accounts.map(({ emailCanonical }) => emailCanonical),
      accounts.map(({ emailVerifiedAt }) => emailVerifiedAt),
      accounts.map(({ passwordHash }) => passwordHash),
      accounts.map(({ roles }) => `{${roles.join(',')}}`), // names of roles need no quotes
      accounts.map(({ isActive }) => isActive),
      accounts.map(({ mustChangePassword }) => mustChangePassword),
      accounts.map(({ id }) => (withSeed.has(id) ? '{totp}' : '{}')),
      accounts.map(({ attributes }) => attributes),
      accounts.map(({ createdAt }) => createdAt),
      seeds.map(({ id }) => id),
      seeds.map(({ userId }) => userId),
      seeds.map(({ name }) => name),
      seeds.map(({ keyId }) => keyId),
      seeds.map(({ seed }) => seed),
      source.ip,
      source.userAgent,
      source.requestId,
      { import_id: importId },
      accounts.map(({ auditId }) => auditId),
    ]);
    return new Set(rows.map(({ id }) => id));
  }
}

const columnsOf = (rows: readonly NamesOfRow[]): unknown[] => [
  rows.map(({ at }) => at),
  rows.map(({ line }) => line),
  rows.map(({ username }) => username),
  rows.map(({ email }) => email),
  rows.map(({ id }) => id),
];

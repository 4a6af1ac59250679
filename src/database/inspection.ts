import pg from 'pg';

import { type Addresses, sqlMigrations } from './migrations.js';

/** What a look at the database from outside found. */
export interface DatabaseFacts {
  readonly serverVersion: number;
  /** How far its clock is ahead of ours. */
  readonly clockAheadMs: number;
  /** Migrations of this build that were not applied, and those applied that this build does not know. */
  readonly pending: readonly string[];
  readonly unknown: readonly string[];
  /** What the service's role may do and should not; null before it was made. */
  readonly excessRights: readonly string[] | null;
  readonly isReadOnly: boolean;
  readonly connections: { readonly used: number; readonly max: number };
  /** Null before the first migration. */
  readonly administrators: number | null;
  /** Null before the first migration. */
  readonly unauditedPartitions: readonly string[] | null;
  /** Rows of `signing_keys`, in the order in which they were made. Null before the first migration. */
  readonly signingKeys: readonly SigningKeyRow[] | null;
  /** Of the `MASTER_SECRET` that the service last started with. Null before the first start. */
  readonly masterSecretId: string | null;
  /** How many seeds of authenticators are sealed under which key. Null before the first migration. */
  readonly seeds: readonly { readonly keyId: string; readonly count: number }[] | null;
}

export interface SigningKeyRow {
  readonly kid: string;
  readonly algorithm: string | null;
  readonly audience: string | null;
  readonly keyId: string | null;
  /** Encrypted. */
  readonly sealed: Buffer | null;
  readonly createdAt: Date;
  readonly activeFrom: Date | null;
  readonly retiredAt: Date | null;
  readonly verifiesUntil: Date | null;
  readonly compromisedAt: Date | null;
}

const FACTS = `
  select current_setting('server_version_num')::int as version, clock_timestamp() as now,
         pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as read_only,
         (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
         current_setting('max_connections')::int as max, to_regclass('migrations') is not null as migrated`;

/** `update`, as the other two, includes what superusers and owners may. */
const EXCESS = `
  select array_remove(array[
    case when (select rolsuper from pg_roles where rolname = current_user) then 'do everything' end,
    case when has_schema_privilege(current_schema()::text, 'create') then 'create tables' end,
    case when to_regclass('audit_events') is not null and has_table_privilege('audit_events', 'update, delete, truncate')
         then 'change audit rows' end], null) as rights`;

/** Append-only is what a trigger makes it: a partition without one could be changed. */
const UNGUARDED = `
  select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
   where i.inhparent = 'audit_events'::regclass
     and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'audit_events_append_only' and t.tgenabled <> 'D')`;

const SIGNING_KEYS = `
  select kid, algorithm, audience, key_id as "keyId", sealed, created_at as "createdAt", active_from as "activeFrom",
         retired_at as "retiredAt", verifies_until as "verifiesUntil", compromised_at as "compromisedAt"
    from signing_keys order by created_at, kid`;

const MASTER_SECRET_ID = 'select master_secret_id as id from last_start';

const SEEDS = 'select key_id as "keyId", count(*)::int as count from totp_authenticators group by key_id';

/** Looks, and changes nothing. @throws where the server is away or refuses, within `timeoutMs` */
export async function inspectDatabase({ url, ownerUrl }: Addresses, timeoutMs: number): Promise<DatabaseFacts> {
  try {
    return await inspect(url, timeoutMs, true);
  } catch (error) {
    // The first migration makes the role.
    if (ownerUrl === null || !AUTHORIZATION_FAILED.has((error as { code?: string }).code ?? '')) throw error;
    return inspect(ownerUrl, timeoutMs, false);
  }
}

const AUTHORIZATION_FAILED = new Set(['28000', '28P01', '42501']);

async function inspect(url: string, timeoutMs: number, asService: boolean): Promise<DatabaseFacts> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'latchkey-doctor',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const before = Date.now();
    const [facts] = (await client.query<Facts>(FACTS)).rows;
    const ours = (before + Date.now()) / 2;
    const known = sqlMigrations().map((Migration) => new Migration().name!);
    const applied = facts.migrated
      ? (await client.query<{ name: string }>('select name from migrations')).rows.map(({ name }) => name)
      : [];
    const isCurrent = facts.migrated && known.every((name) => applied.includes(name));
    return {
      serverVersion: Math.floor(facts.version / 10_000),
      clockAheadMs: Math.round(facts.now.getTime() - ours),
      pending: known.filter((name) => !applied.includes(name)),
      unknown: applied.filter((name) => !known.includes(name)),
      excessRights: asService ? (await client.query<{ rights: string[] }>(EXCESS)).rows[0].rights : null,
      isReadOnly: facts.read_only,
      connections: { used: facts.used, max: facts.max },
      administrators: isCurrent ? await administrators(client) : null,
      unauditedPartitions: isCurrent
        ? (await client.query<{ name: string }>(UNGUARDED)).rows.map(({ name }) => name)
        : null,
      seeds: isCurrent ? (await client.query<{ keyId: string; count: number }>(SEEDS)).rows : null,
      masterSecretId: isCurrent ? ((await client.query<{ id: string }>(MASTER_SECRET_ID)).rows[0]?.id ?? null) : null,
      signingKeys: isCurrent ? (await client.query<SigningKeyRow>(SIGNING_KEYS)).rows : null,
    };
  } finally {
    await client.end().catch(() => {});
  }
}

interface Facts {
  version: number;
  now: Date;
  read_only: boolean;
  used: number;
  max: number;
  migrated: boolean;
}

async function administrators(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::int as count from users where is_active and roles @> '{admin}'",
  );
  return rows[0].count;
}

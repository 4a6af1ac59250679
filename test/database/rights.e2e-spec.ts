import { randomBytes } from 'node:crypto';

import pg from 'pg';

import { Database } from '../../src/database/database.js';
import { SERVICE_RIGHTS } from '../../src/database/rights.js';
import { entities } from '../../src/entities.js';
import { eventually, ServiceProcess } from '../support/service-process.js';
import { temporaryFolders } from '../support/temporary-folders.js';
import { TestApp } from '../support/test-app.js';
import { asOwner, createTestDatabase } from '../support/test-database.js';

const DENIED = /permission denied|must be owner/;
const newFolder = temporaryFolders();

describe('the service’s database role', () => {
  let app: TestApp;
  let service: pg.Client;
  beforeAll(async () => {
    app = await TestApp.start();
    await app.givenPerson();
    service = new pg.Client({ connectionString: app.databaseUrl });
    await service.connect();
  });
  afterAll(async () => {
    await service.end();
    await app.stop();
  });

  it('reads and adds audit rows', async () => {
    const { rows } = await service.query<{ count: number }>('select count(*)::int from audit_events');
    expect(rows[0].count).toBeGreaterThan(0);
    await service.query(
      `insert into audit_events (id, occurred_at, type, outcome) values (gen_random_uuid(), now(), 'test', 'success')`,
    );
  });

  // The triggers alone would not do: an owner can disable them.
  it.each([
    'update audit_events set outcome = $$failure$$',
    'delete from audit_events',
    'truncate audit_events',
    'update audit_events_default set outcome = $$failure$$',
    'delete from audit_events_default',
    'alter table audit_events disable trigger audit_events_append_only',
    'alter table audit_events detach partition audit_events_default',
    'drop trigger audit_events_append_only on audit_events',
    'drop table audit_events',
    'create or replace function refuse_audit_change() returns trigger language plpgsql as $$ begin return new; end $$',
    'set session_replication_role = replica',
    'create rule r as on insert to audit_events do instead nothing',
  ])('cannot do this to an audit row: %s', async (sql) => {
    await expect(service.query(sql)).rejects.toThrow(DENIED);
  });

  it.each([
    'create table mine (id int)',
    'create schema mine',
    'create function mine() returns int language sql as $$ select 1 $$',
    'drop table users',
    'alter table users add column mine int',
    'alter table users disable trigger all',
    'truncate users',
    `insert into migrations (timestamp, name) values (1, 'mine-1')`,
    'delete from migrations',
    'create role mine',
    'set role latchkey',
  ])('cannot do this to the schema: %s', async (sql) => {
    await expect(service.query(sql)).rejects.toThrow(DENIED);
  });

  it('makes the partitions of coming months all the same, and its own objects do not get in their way', async () => {
    await service.query('create temporary table pg_class (relname text)');
    await service.query('select create_audit_partitions(5)');
    await expect(service.query('select create_audit_partitions(13)')).rejects.toThrow('0 to 12');
    const [{ count, owners }] = await app.rows<{ count: number; owners: number }>(
      `select count(*)::int, count(*) filter (where pg_get_userbyid(relowner) <> $1)::int as owners
         from pg_inherits join pg_class on oid = inhrelid where inhparent = 'audit_events'::regclass`,
      [new pg.Client({ connectionString: app.databaseUrl }).user],
    );
    expect({ count, owners }).toEqual({ count: 7, owners: 7 });
  });
});

describe('migrating as the owner', () => {
  it('knows every table of ours', async () => {
    const { ownerUrl, drop } = await createTestDatabase();
    const owner = new pg.Client({ connectionString: ownerUrl });
    await owner.connect();
    try {
      const { rows } = await owner.query<{ name: string }>(
        `select relname as name from pg_class
          where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`,
      );
      expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(SERVICE_RIGHTS).toSorted());
    } finally {
      await owner.end();
      await drop();
    }
  });

  it('leaves alone what another application has in the same schema', async () => {
    const { url, ownerUrl, drop } = await createTestDatabase();
    const database = new Database({ url, ownerUrl, poolSize: 2, entities });
    try {
      await asOwner(ownerUrl, 'create table billing (id int)');
      await database.connect();
      await expect(database.dataSource.query('select * from billing')).rejects.toThrow(DENIED);
      await expect(database.dataSource.query('select * from users')).resolves.toEqual([]);
    } finally {
      await database.close();
      await drop();
    }
  });

  it('says whose the tables are where they are another role’s', async () => {
    const { url, ownerUrl, drop } = await createTestDatabase();
    const database = new Database({ url: ownerUrl, ownerUrl: url, poolSize: 2, entities });
    try {
      await expect(database.connect()).rejects.toThrow(/the tables belong to the role \w+: run `latchkey migrate`/);
    } finally {
      await database.close();
      await drop();
    }
  });

  it('keeps months in the default partition that were not made in time, and makes those after them', async () => {
    const { ownerUrl, drop } = await createTestDatabase();
    const owner = new pg.Client({ connectionString: ownerUrl });
    await owner.connect();
    const months = async () =>
      (
        await owner.query<{ name: string }>(
          `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_events'::regclass order by 1`,
        )
      ).rows.map(({ name }) => name);
    try {
      const made = await months();
      const [first, second] = made;
      await owner.query(`drop table ${first}, ${second}`);
      await owner.query(
        `insert into audit_events (id, occurred_at, type, outcome) values (gen_random_uuid(), now(), 'test', 'success')`,
      );
      await owner.query('select create_audit_partitions(3)');
      expect(await months()).toEqual(made.filter((name) => name !== first));
    } finally {
      await owner.end();
      await drop();
    }
  });

  it('makes the service’s role, gives it its rights, and the service serves by it alone', async () => {
    const { url, ownerUrl, drop } = await createTestDatabase();
    const role = `service_${randomBytes(6).toString('hex')}`;
    const DATABASE_URL = url.replace(/^(\w+:\/\/)[^@]*/, `$1${role}:made-by-the-migration`);
    const settings = { PORT: '0', DATA_DIR: newFolder(), DATABASE_URL };
    try {
      await asOwner(ownerUrl, 'drop schema public cascade; create schema public');
      const migrating = ServiceProcess.start(
        { ...settings, DATABASE_MIGRATION_URL: ownerUrl },
        { cwd: newFolder(), args: ['migrate'] },
      );
      expect(await migrating.exited).toMatchObject({ code: 0 });
      const service = ServiceProcess.start(settings, { cwd: newFolder() });
      const at = await service.url();
      await eventually(async () => (await fetch(`${at}/health/ready`)).status === 200);
      const registered = await fetch(`${at}/auth/register`, {
        method: 'POST',
        headers: { 'X-Auth-Transport': 'body', 'Content-Type': 'application/json' },
        body: JSON.stringify({ username: 'ada', email: 'ada@example.com', password: 'correct-horse-battery' }),
      });
      expect(registered.status).toBe(201);
      await service.stop();
    } finally {
      await drop();
      await asOwner(process.env.TEST_DATABASE_ADMIN_URL!, `drop role if exists ${role}`);
    }
  });

  it('is asked for where the service’s role alone is given, and something is to come', async () => {
    const { url, ownerUrl, drop } = await createTestDatabase();
    const database = new Database({ url, ownerUrl: null, poolSize: 2, entities });
    try {
      await asOwner(ownerUrl, 'delete from migrations where id = (select max(id) from migrations)');
      await expect(database.connect()).rejects.toThrow('run `latchkey migrate` with DATABASE_MIGRATION_URL');
    } finally {
      await database.close();
      await drop();
    }
  });
});

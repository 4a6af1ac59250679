import { Database } from '../../src/database/database.js';
import { sqlMigrations } from '../../src/database/migrations.js';
import { entities } from '../../src/entities.js';
import { asOwner, createTestDatabase } from '../support/test-database.js';
import { TestApp } from '../support/test-app.js';

describe('the schema', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('that the migrations make is the one that the entities declare', async () => {
    const { upQueries } = await app.database.dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('starts without any account (ASVS 6.3.2)', async () => {
    expect(await app.rows('select 1 from users')).toEqual([]);
  });

  it('names every migration file once, in order', () => {
    const names = sqlMigrations().map((Migration) => new Migration().name!);
    expect(names.length).toBeGreaterThan(3);
    expect(new Set(names).size).toBe(names.length);
  });

  describe('audit_events', () => {
    it('can only grow', async () => {
      await app.givenPerson();
      for (const change of [
        'update audit_events set outcome = $$failure$$',
        'delete from audit_events',
        'truncate audit_events',
      ]) {
        await expect(app.rows(change)).rejects.toThrow('append-only');
      }
    });

    it('can be emptied by no partition either', async () => {
      const partitions = await app.rows<{ name: string }>(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_events'::regclass`,
      );
      expect(partitions.length).toBeGreaterThanOrEqual(5);
      for (const { name } of partitions) await expect(app.rows(`truncate ${name}`)).rejects.toThrow('append-only');
    });

    it('has partitions for this month and three ahead, and takes rows of any time', async () => {
      const partitions = await app.rows<{ name: string }>(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_events'::regclass order by 1`,
      );
      const month = (ahead: number) => {
        const now = new Date();
        return `audit_events_${new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead)).toISOString().slice(0, 7).replace('-', '_')}`;
      };
      expect(partitions.map(({ name }) => name)).toEqual(
        [...[0, 1, 2, 3].map(month), 'audit_events_default'].toSorted(),
      );
      for (const time of ['1999-01-01', '2150-01-01', new Date().toISOString()]) {
        await app.rows(
          `insert into audit_events (id, occurred_at, type, outcome) values (gen_random_uuid(), $1, 'test', 'success')`,
          [time],
        );
      }
    });

    it('gets its partitions from many callers at once', async () => {
      await Promise.all(Array.from({ length: 8 }, () => app.rows('select create_audit_partitions(9)')));
      const [{ count }] = await app.rows<{ count: number }>(
        `select count(*)::int from pg_inherits where inhparent = 'audit_events'::regclass`,
      );
      expect(count).toBe(11);
    });
  });
});

describe('migrating', () => {
  it('by four processes at once happens once', async () => {
    const { url, ownerUrl, drop } = await createTestDatabase();
    const databases = Array.from({ length: 4 }, () => new Database({ url, ownerUrl, poolSize: 2, entities }));
    try {
      await asOwner(ownerUrl, 'drop schema public cascade; create schema public');
      const applied = await Promise.all(databases.map((database) => database.connect()));
      expect(applied.map(({ length }) => length).toSorted((a, b) => a - b)).toEqual([0, 0, 0, sqlMigrations().length]);
    } finally {
      await Promise.all(databases.map((database) => database.close()));
      await drop();
    }
  });

  it('refuses a database that a newer build migrated', async () => {
    const { url, ownerUrl, drop } = await createTestDatabase();
    const database = new Database({ url, ownerUrl: null, poolSize: 2, entities });
    try {
      await asOwner(
        ownerUrl,
        `insert into migrations (timestamp, name) values (9999999999999, 'from-the-future-9999999999999')`,
      );
      await expect(database.connect()).rejects.toThrow('migrated by a newer build (from-the-future-9999999999999)');
    } finally {
      await database.close();
      await drop();
    }
  });
});

import request from 'supertest';

import { TestApp } from '../support/test-app.js';

/** The server throws everybody out, as a restart does; the process must not notice more than it has to. */
describe('when the database throws its clients out', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const throwOut = () =>
    app.rows(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );

  it('goes on with the next request, idle connections or not', async () => {
    const { browser } = await app.givenSignedIn();
    await throwOut();
    let status = 0;
    for (let attempt = 0; attempt < 5 && status !== 200; attempt++) ({ status } = await browser.refresh());
    expect(status).toBe(200);
  });

  it('answers 503 to a request whose connection is cut, and the retry goes on', async () => {
    const { browser, person } = await app.givenSignedIn();
    const lock = 'select 1 from sessions where user_id = $1 for update';
    const cutWaiting = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    const [cut] = await app.whileLocked(
      lock,
      [person.id],
      1,
      () => [(async () => browser.copy().refresh())()],
      () => app.rows(cutWaiting),
    );
    expect(cut.status).toBe(503);
    expect(cut.body.code).toBe('overloaded');
    expect(Number(cut.headers['retry-after'])).toBeGreaterThan(0);
    await browser.refresh().expect(200);
  });

  it('says 503, not 500, to a request that waits at a lock for too long', async () => {
    const { browser, person } = await app.givenSignedIn();
    const lock = app.database.dataSource.createQueryRunner();
    await lock.startTransaction();
    await lock.query('select 1 from sessions where user_id = $1 for update', [person.id]);
    try {
      const { body } = await browser.refresh().expect(503);
      expect(body.code).toBe('overloaded');
      await request(app.url).get('/health/live').expect(200);
    } finally {
      await lock.rollbackTransaction();
      await lock.release();
    }
    await browser.refresh().expect(200);
  });
});

import { activityPage } from '../../src/audit/audit.schemas.js';
import { meResponse } from '../../src/auth/auth.schemas.js';
import { TestApp } from '../support/test-app.js';

describe('GET /auth/me', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('tells the account, its roles and permissions, the session and the factors', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    await app.rows(`update users set roles = '{user,admin}' where id = $1`, [person.id]);
    const { body, headers } = await app.client().me(accessToken).expect(200);
    expect(meResponse.parse(body)).toMatchObject({
      id: person.id,
      roles: ['user', 'admin'],
      mfa: { enabled: false, methods: [] },
    });
    expect(body.permissions).toContain('users:read');
    expect(headers['cache-control']).toBe('no-store');
  });

  it('is refused at once when the account is disabled', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    await app.rows('update users set is_active = false where id = $1', [person.id]);
    expect((await app.client().me(accessToken).expect(401)).body.code).toBe('token_revoked');
  });
});

describe('POST /auth/change-password', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const NEW = 'an entirely new password';
  const change = (accessToken: string, current: string, next: string) =>
    app
      .client()
      .send('post', '/auth/change-password')
      .set('Authorization', `Bearer ${accessToken}`)
      .send({ current_password: current, new_password: next });

  it('changes it, keeps this session, and ends the others with their access tokens', async () => {
    const { browser, person, accessToken } = await app.givenSignedIn();
    const other = await app.client().login(person).expect(200);
    // One more session is that of the registration.
    expect((await change(accessToken, person.password, NEW).expect(200)).body).toEqual({ revoked: 2 });
    await browser.refresh().expect(200);
    expect((await app.client().refresh(other.body.refresh_token).expect(401)).body.code).toBe('token_revoked');
    expect((await app.client().me(other.body.access_token).expect(401)).body.code).toBe('token_revoked');
    await app.client().login(person).expect(401);
    await app
      .client()
      .login({ ...person, password: NEW })
      .expect(200);
    expect(await app.auditTypes(person.id)).toContain('password.changed');
  });

  it('asks for the current password, and audits a wrong one', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    expect((await change(accessToken, 'wrong password', NEW).expect(401)).body.code).toBe('invalid_credentials');
    expect(await app.auditTypes(person.id)).toContain('password.change_failed');
    await app.client().login(person).expect(200);
  });

  it('refuses a weak password and the one that is in use', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    expect((await change(accessToken, person.password, 'short').expect(422)).body.code).toBe('weak_password');
    expect((await change(accessToken, person.password, person.password).expect(422)).body.code).toBe('weak_password');
  });

  it('lets one of two changes at once succeed, and both leave one password', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    const nexts = ['first new password', 'second new password'];
    const answers = await app.whileLocked('select 1 from users where id = $1 for update', [person.id], 2, () =>
      nexts.map(async (next) => change(accessToken, person.password, next)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401]);
    const winner = nexts[answers.findIndex(({ status }) => status === 200)];
    await app
      .client()
      .login({ ...person, password: winner })
      .expect(200);
  });

  it('and a refresh of another session at once: the refresh loses', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    const other = app.browser();
    await other.login(person).expect(200);
    const lock = 'select 1 from sessions where user_id = $1 for update';
    const [changed] = await app.whileLocked(lock, [person.id], 1, () => [
      (async () => change(accessToken, person.password, NEW))(),
    ]);
    expect(changed.status).toBe(200);
    await other.refresh().expect(401);
  });
});

describe('GET /auth/activity', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const activity = (accessToken: string, query = '') =>
    app.client().send('get', `/auth/activity${query}`).set('Authorization', `Bearer ${accessToken}`);

  it('shows the user’s own events, newest first, and nobody else’s', async () => {
    await app.givenSignedIn();
    const { person, accessToken } = await app.givenSignedIn();
    await app
      .client()
      .login({ ...person, password: 'wrong password' })
      .expect(401);
    const { items } = activityPage.parse((await activity(accessToken).expect(200)).body);
    expect(items.map(({ type }) => type)).toEqual(['login.failed', 'login.succeeded', 'user.registered']);
    expect(items[0]).toMatchObject({ outcome: 'failure', ip: '127.0.0.1' });
  });

  it('pages by cursor to the last event', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    for (let round = 0; round < 5; round++) await app.client().login(person).expect(200);
    const seen: string[] = [];
    let query = '?limit=3';
    for (;;) {
      const { body } = await activity(accessToken, query).expect(200);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      if (body.next_cursor === null) break;
      query = `?limit=3&cursor=${body.next_cursor}`;
    }
    expect(seen).toHaveLength(7);
    expect(new Set(seen).size).toBe(7);
    expect(seen).toEqual(seen.toSorted().reverse());
  });

  it.each(['?limit=0', '?limit=201', '?limit=x', '?cursor=made-up', '?unknown=1', '?limit=1&limit=2'])(
    'refuses %s',
    async (query) => {
      const { accessToken } = await app.givenSignedIn();
      expect((await activity(accessToken, query).expect(422)).body.code).toBe('validation_failed');
    },
  );
});

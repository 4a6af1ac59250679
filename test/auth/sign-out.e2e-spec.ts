import { TestApp } from '../support/test-app.js';

describe('POST /auth/logout', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('ends the session: the refresh token and the access token are refused from then on', async () => {
    const { browser, accessToken, person } = await app.givenSignedIn();
    const copy = browser.copy();
    const { body, headers } = await browser.logout().expect(200);
    expect(body).toEqual({ revoked: 1 });
    expect(headers['clear-site-data']).toBe('"cache"');
    expect([...browser.jar.keys()]).toEqual(['device']);
    expect((await copy.refresh().expect(401)).body.code).toBe('token_revoked');
    expect((await app.client().me(accessToken).expect(401)).body.code).toBe('token_revoked');
    expect(await app.auditTypes(person.id)).toContain('session.ended');
  });

  it('ends the session of a bearer token alone', async () => {
    const person = await app.givenPerson();
    const { body } = await app.client().login(person).expect(200);
    await app.client().send('post', '/auth/logout').set('Authorization', `Bearer ${body.access_token}`).expect(200);
    expect((await app.client().refresh(body.refresh_token).expect(401)).body.code).toBe('token_revoked');
  });

  it('ends the session of a refresh token in the body', async () => {
    const person = await app.givenPerson();
    const { body } = await app.client().login(person).expect(200);
    expect(
      (await app.client().send('post', '/auth/logout').send({ refresh_token: body.refresh_token }).expect(200)).body,
    ).toEqual({ revoked: 1 });
    await app.client().me(body.access_token).expect(401);
  });

  it('is never an error for stale, foreign or missing tokens', async () => {
    const { browser } = await app.givenSignedIn();
    const stale = browser.copy();
    await browser.logout().expect(200);
    expect((await stale.logout().expect(200)).body).toEqual({ revoked: 0 });
    const logout = () => app.client().send('post', '/auth/logout');
    await logout().expect(200);
    await logout().send({ refresh_token: 'nonsense' }).set('Authorization', 'Bearer nonsense').expect(200);
  });

  it('ends the sessions of two users by two tokens, and names each as the one who ended theirs', async () => {
    const { browser, person: first } = await app.givenSignedIn();
    const { person: second, accessToken } = await app.givenSignedIn();
    const { body } = await browser.logout().set('Authorization', `Bearer ${accessToken}`).expect(200);
    expect(body).toEqual({ revoked: 2 });
    for (const { id } of [first, second]) {
      const ends = await app.rows(`select actor_id from audit_events where user_id = $1 and type = 'session.ended'`, [
        id,
      ]);
      expect(ends).toEqual([{ actor_id: id }]);
    }
  });

  it('leaves the user’s other sessions alone', async () => {
    const { browser, person } = await app.givenSignedIn();
    const other = app.browser();
    await other.login(person).expect(200);
    await browser.logout().expect(200);
    await other.refresh().expect(200);
  });
});

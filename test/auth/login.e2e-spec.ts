import request from 'supertest';

import { signInResponse } from '../../src/auth/auth.schemas.js';
import { TestApp } from '../support/test-app.js';

describe('POST /auth/login', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('signs in by username and by e-mail address, in any spelling of either', async () => {
    const person = await app.givenPerson();
    for (const username of [person.username, person.email, person.username.toUpperCase(), person.email.toUpperCase()]) {
      const { body } = await app
        .client()
        .login({ ...person, username })
        .expect(200);
      expect(signInResponse.parse(body).user.id).toBe(person.id);
    }
  });

  it('takes the OAuth2 password form of Swagger UI, without cookies or CSRF', async () => {
    const person = await app.givenPerson();
    const { body, headers } = await request(app.url)
      .post('/auth/login')
      .type('form')
      .send({
        grant_type: 'password',
        username: person.username,
        password: person.password,
        scope: '',
        client_id: '',
        client_secret: '',
      })
      .expect(200);
    expect(headers['set-cookie']).toBeUndefined();
    await app.client().me(body.access_token).expect(200);
  });

  it('answers an unknown name like a wrong password, and audits both', async () => {
    const person = await app.givenPerson();
    const wrong = await app
      .client()
      .login({ ...person, password: 'not the password' })
      .expect(401);
    const unknown = await app.client().login({ username: 'nobody-at-all', password: 'not the password' }).expect(401);
    const { request_id: _a, ...wrongBody } = wrong.body;
    const { request_id: _b, ...unknownBody } = unknown.body;
    expect(unknownBody).toEqual(wrongBody);
    expect(wrongBody.code).toBe('invalid_credentials');
    const rows = await app.rows<{ details: { reason: string } }>(
      `select details from audit_events where type = 'login.failed' and (user_id = $1 or user_id is null) order by id desc limit 2`,
      [person.id],
    );
    expect(rows.map(({ details }) => details.reason)).toEqual(['unknown_name', 'wrong_password']);
    expect(JSON.stringify(rows)).not.toContain('nobody-at-all');
  });

  it('says that an account is disabled only after the right password', async () => {
    const person = await app.givenPerson();
    await app.rows('update users set is_active = false where id = $1', [person.id]);
    expect(
      (
        await app
          .client()
          .login({ ...person, password: 'wrong password' })
          .expect(401)
      ).body.code,
    ).toBe('invalid_credentials');
    expect((await app.client().login(person).expect(403)).body.code).toBe('account_disabled');
  });

  it('ends the session that this browser had before (ASVS 7.2.4)', async () => {
    const { browser, person } = await app.givenSignedIn();
    const before = browser.copy();
    await browser.login(person).expect(200);
    expect((await before.refresh().expect(401)).body.code).toBe('token_revoked');
    await browser.refresh().expect(200);
  });

  it('keeps the device cookie of a browser that this user signed in with before', async () => {
    const { browser, person } = await app.givenSignedIn();
    const device = browser.cookie('device');
    await browser.login(person).expect(200);
    expect(browser.cookie('device')).toBe(device);
  });

  it('puts a device id into the token', async () => {
    const person = await app.givenPerson();
    const { body } = await app.client().login(person, 'phone-7').expect(200);
    const claims = JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString());
    expect(claims.device_id).toBe('phone-7');
  });
});

describe('a sign-in in flight', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it.each([
    ['the password is changed', 'update users set password_hash = $$gone$$, password_changed_at = now() where id = $1'],
    ['the account is disabled', 'update users set is_active = false where id = $1'],
  ])('begins no session when %s before it is done', async (_name, change) => {
    const person = await app.givenPerson();
    const [answer] = await app.whileLocked(change, [person.id], 1, () => [(async () => app.client().login(person))()]);
    expect(answer.status).toBe(401);
    expect(await app.rows('select 1 from sessions where user_id = $1', [person.id])).toHaveLength(1); // the registration's
  });
});

describe('THROTTLE_LOGIN', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ THROTTLE_LOGIN: '3/60' })));
  afterAll(() => app.stop());

  it('limits one address, says when to come back, and lets it in again then', async () => {
    const person = await app.givenPerson();
    for (const remaining of ['2', '1', '0']) {
      const { headers } = await app.client().login(person).expect(200);
      expect(headers['ratelimit-remaining']).toBe(remaining);
    }
    const { body, headers } = await app.client().login(person).set('X-Forwarded-For', '203.0.113.9').expect(429);
    expect(body.code).toBe('rate_limited');
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
    app.advance(61);
    await app.client().login(person).expect(200);
  });
});

describe('ACCESS_TOKEN_COOKIE', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ ACCESS_TOKEN_COOKIE: 'true' })));
  afterAll(() => app.stop());

  it('signs requests in by the cookie, and then needs the CSRF token for changes', async () => {
    const { browser, person } = await app.givenSignedIn();
    expect(browser.jar.get('access_token')!.attributes).toContain('HttpOnly');
    const { body } = await browser.send('get', '/auth/me').expect(200);
    expect(body.username).toBe(person.username);
    const change = { current_password: person.password, new_password: 'another-long-password' };
    expect(
      (await browser.send('post', '/auth/change-password').unset('X-CSRF-Token').send(change).expect(403)).body.code,
    ).toBe('csrf_failed');
    await browser.send('post', '/auth/change-password').send(change).expect(200);
    await browser.logout().expect(200);
    expect(browser.cookie('access_token')).toBeUndefined();
  });
});

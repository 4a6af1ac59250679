import { randomBytes } from 'node:crypto';

import { Janitor } from '../../src/common/janitor.js';
import { type Person, TestApp } from '../support/test-app.js';

const MINUTE = 60;
const WRONG = 'not the password';

describe('lockout', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ TRUST_PROXY: '1' })));
  afterAll(() => app.stop());

  const from = (ip: string, name: string, password: string) =>
    app.client().login({ username: name, password }).set('X-Forwarded-For', ip);
  const fail = async (ip: string, name: string, times: number) => {
    const codes: string[] = [];
    for (let time = 0; time < times; time++) codes.push((await from(ip, name, WRONG)).body.code);
    return codes;
  };

  /** Five failures from each of so many networks. */
  const streak = async (name: string, networks: number) => {
    for (let network = 1; network <= networks; network++) await fail(`203.0.113.${network}`, name, 5);
  };

  it('lets exactly LOCKOUT_ATTEMPTS of 50 parallel wrong passwords be verified', async () => {
    const person = await app.givenPerson();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => from('198.51.100.1', person.username, WRONG)),
    );
    const codes = answers.map(({ body }) => body.code as string);
    expect(codes.filter((code) => code === 'invalid_credentials')).toHaveLength(5);
    expect(codes.filter((code) => code === 'account_locked')).toHaveLength(45);
    const types = await app.auditTypes(person.id);
    expect(types.filter((type) => type === 'login.failed')).toHaveLength(5);
    expect(types.filter((type) => type === 'login.locked')).toHaveLength(1);
    expect(types.filter((type) => type === 'login.refused')).toHaveLength(45);
  });

  it('treats a name that nobody has alike, in code, body and headers', async () => {
    const person = await app.givenPerson();
    const names = [person.username, `nobody${randomBytes(4).toString('hex')}`];
    const seen = [];
    for (const name of names) {
      const codes = await fail('198.51.100.2', name, 6);
      const { body, status, headers } = await from('198.51.100.2', name, WRONG);
      const { request_id: _id, ...rest } = body;
      seen.push({ codes, rest, status, retry: Math.ceil(Number(headers['retry-after']) / 10) });
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]).toMatchObject({ status: 429, codes: [...Array(5).fill('invalid_credentials'), 'account_locked'] });
  });

  it('refuses the right password while locked, says for how long, and lets it in after that', async () => {
    const person = await app.givenPerson();
    await fail('198.51.100.3', person.username, 5);
    const { body, headers } = await from('198.51.100.3', person.username, person.password).expect(429);
    expect(body.code).toBe('account_locked');
    expect(Number(headers['retry-after'])).toBeGreaterThan(14 * MINUTE);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(15 * MINUTE);
    app.advance(15 * MINUTE + 1);
    await from('198.51.100.3', person.username, person.password).expect(200);
  });

  it('makes each lock in a row twice as long, and forgets that after a success', async () => {
    const person = await app.givenPerson();
    const lockSeconds = async () => {
      await fail('198.51.100.4', person.username, 5);
      const { headers } = await from('198.51.100.4', person.username, WRONG).expect(429);
      return Math.round(Number(headers['retry-after']) / MINUTE);
    };
    for (const minutes of [15, 30, 60]) {
      expect(await lockSeconds()).toBe(minutes);
      app.advance(minutes * MINUTE + 1);
    }
    await from('198.51.100.4', person.username, person.password).expect(200);
    expect(await lockSeconds()).toBe(15);
  });

  it('counts username and e-mail address of one account together, in any spelling', async () => {
    const person = await app.givenPerson();
    await fail('198.51.100.5', person.username, 2);
    await fail('198.51.100.5', person.email.toUpperCase(), 2);
    await fail('198.51.100.5', person.username.toUpperCase(), 1);
    expect(await fail('198.51.100.5', person.email, 1)).toEqual(['account_locked']);
  });

  it('of one account never touches another whose e-mail address is much like its username', async () => {
    const locked = await app.givenPerson();
    const other = await app.givenPerson({ email: `${locked.username}@example.org` });
    await fail('198.51.100.13', locked.username, 3);
    await fail('198.51.100.13', locked.email, 3);
    expect(await fail('198.51.100.13', locked.email, 1)).toEqual(['account_locked']);
    await from('198.51.100.13', other.email, other.password).expect(200);
    await from('198.51.100.13', other.username, other.password).expect(200);
  });

  it('of one name leaves every other name at that network alone', async () => {
    const [locked, other] = [await app.givenPerson(), await app.givenPerson()];
    await fail('198.51.100.6', locked.username, 6);
    await from('198.51.100.6', other.username, other.password).expect(200);
  });

  it('at one network leaves the owner alone at another, IPv6 by /64', async () => {
    const person = await app.givenPerson();
    await fail('2001:db8:1:1::1', person.username, 5);
    expect(await fail('2001:db8:1:1:ffff::2', person.username, 1)).toEqual(['account_locked']);
    await from('2001:db8:1:2::1', person.username, person.password).expect(200);
  });

  it('held up for an hour by an attacker never stops the owner’s known browser, even at the attacker’s own network', async () => {
    const { browser, person } = await app.givenSignedIn();
    const ownLogin = async () =>
      (await browser.withCsrf())
        .send('post', '/auth/login')
        .set('X-Forwarded-For', '198.51.100.7')
        .send({ username: person.username, password: person.password });
    for (let minute = 0; minute < 60; minute += 5) {
      await fail('198.51.100.7', person.username, 6);
      expect((await ownLogin()).status).toBe(200);
      app.advance(5 * MINUTE);
    }
    expect(await fail('198.51.100.7', person.username, 1)).toEqual(['account_locked']);
  });

  it('holds a known browser back too, by a counter of its own', async () => {
    const { browser, person } = await app.givenSignedIn();
    const statuses: number[] = [];
    for (let time = 0; time < 6; time++) statuses.push((await browser.login({ ...person, password: WRONG })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    await from('198.51.100.8', person.username, person.password).expect(200);
  });

  it('takes a device cookie for nobody but whoever signed in there, and for nobody after it was forgotten', async () => {
    const { browser: attacker } = await app.givenSignedIn();
    const { browser, person, accessToken } = await app.givenSignedIn();
    const login = (who: typeof browser, password: string) =>
      who
        .send('post', '/auth/login')
        .set('X-Forwarded-For', '198.51.100.9')
        .send({ username: person.username, password });
    for (let time = 0; time < 5; time++) await login(attacker, WRONG).expect(401);
    await login(attacker, WRONG).expect(429);
    await login(browser.copy(), person.password).expect(200);

    const signedIn = browser.copy();
    const token = (await login(signedIn, person.password).expect(200)).body.access_token as string;
    const { body } = await browser.send('get', '/auth/devices').set('Authorization', `Bearer ${token}`).expect(200);
    expect(body.items).toEqual([expect.objectContaining({ current: true, device: 'Chrome on Linux' })]);
    await app
      .client()
      .send('delete', `/auth/devices/${body.items[0].id}`)
      .set('Authorization', `Bearer ${token}`)
      .expect(204);
    await login(signedIn.copy(), person.password).expect(429);
    expect(accessToken).toBeTruthy();
  });

  it('gives a planted device cookie no part in an account: its browser gets a name of its own', async () => {
    const { browser: attacker } = await app.givenSignedIn();
    const victim = await app.givenPerson();
    const browser = app.browser();
    browser.jar.set('device', attacker.jar.get('device')!);
    const planted = browser.cookie('device');
    const { body } = await browser.login(victim).expect(200);
    expect(browser.cookie('device')).not.toBe(planted);
    const list = async (who: typeof browser) =>
      (await who.send('get', '/auth/devices').set('Authorization', `Bearer ${body.access_token}`).expect(200)).body
        .items;
    expect(await list(browser)).toEqual([expect.objectContaining({ current: true })]);
    expect(await list(attacker)).toEqual([expect.objectContaining({ current: false })]);

    const guess = () =>
      attacker
        .send('post', '/auth/login')
        .set('X-Forwarded-For', '198.51.100.12')
        .send({ username: victim.username, password: WRONG });
    for (let time = 0; time < 5; time++) await guess().expect(401);
    expect(await fail('198.51.100.12', victim.username, 1)).toEqual(['account_locked']);
  });

  it('knows a browser that two people share as that of whoever signed in last', async () => {
    const { browser, person: first } = await app.givenSignedIn();
    const namedForFirst = browser.copy();
    const second = await app.givenPerson();
    await browser.login(second).expect(200);
    const namedForSecond = browser.cookie('device');
    expect(namedForSecond).not.toBe(namedForFirst.cookie('device'));
    await browser.login(second).expect(200);
    expect(browser.cookie('device')).toBe(namedForSecond);
    await browser.login(first).expect(200);
    expect(browser.cookie('device')).not.toBe(namedForSecond);
  });

  it('shows somebody else’s device as if it did not exist', async () => {
    const { accessToken: other } = await app.givenSignedIn();
    const { browser, accessToken } = await app.givenSignedIn();
    const { body } = await browser
      .send('get', '/auth/devices')
      .set('Authorization', `Bearer ${accessToken}`)
      .expect(200);
    await app
      .client()
      .send('delete', `/auth/devices/${body.items[0].id}`)
      .set('Authorization', `Bearer ${other}`)
      .expect(404);
    await app.client().send('delete', '/auth/devices/nonsense').set('Authorization', `Bearer ${other}`).expect(422);
  });

  it('leaves one attempt a network and lock after 100 failures in a row (NIST SP 800-63B, 3.2.2)', async () => {
    const person = await app.givenPerson();
    await streak(person.username, 20);
    expect(await fail('203.0.113.100', person.username, 2)).toEqual(['invalid_credentials', 'account_locked']);
    // The owner still has an attempt of their own, and a success ends it.
    await from('203.0.113.101', person.username, person.password).expect(200);
    expect(await fail('203.0.113.102', person.username, 2)).toEqual(['invalid_credentials', 'invalid_credentials']);
  }, 60_000);

  describe('after 100 failures in a row from many networks', () => {
    it('leaves the owner’s known browser all of its attempts, and a success there ends the streak', async () => {
      const { browser, person } = await app.givenSignedIn();
      await streak(person.username, 21);
      for (let time = 0; time < 4; time++) await browser.login({ ...person, password: WRONG }).expect(401);
      await browser.login(person).expect(200);
      expect(await fail('203.0.113.110', person.username, 2)).toEqual(['invalid_credentials', 'invalid_credentials']);
    });

    it('leaves a signed-in session all of its attempts at changing the password', async () => {
      const { person, accessToken } = await app.givenSignedIn();
      await streak(person.username, 21);
      const change = (current: string) =>
        app
          .client()
          .send('post', '/auth/change-password')
          .set('Authorization', `Bearer ${accessToken}`)
          .send({ current_password: current, new_password: 'an entirely new password' });
      for (let time = 0; time < 4; time++) await change(WRONG).expect(401);
      await change(person.password).expect(200);
    });
  });

  it('counts failures in a known browser against that browser alone', async () => {
    const { browser, person } = await app.givenSignedIn();
    await streak(person.username, 19);
    for (let time = 0; time < 5; time++) await browser.login({ ...person, password: WRONG }).expect(401);
    expect(await fail('203.0.113.111', person.username, 3)).toEqual(Array(3).fill('invalid_credentials'));
  });

  it('is released by an administrator, at every place', async () => {
    const person = await app.givenPerson();
    await fail('198.51.100.10', person.username, 6);
    const { person: admin, browser } = await app.givenSignedIn();
    const unlock = (token: string, id: string) =>
      app.client().send('post', `/admin/users/${id}/unlock`).set('Authorization', `Bearer ${token}`);
    const before = (await browser.refresh().expect(200)).body.access_token as string;
    expect((await unlock(before, person.id).expect(403)).body.code).toBe('forbidden');
    await app.rows(`update users set roles = '{user,admin}' where id = $1`, [admin.id]);
    const token = (await browser.refresh().expect(200)).body.access_token as string;
    expect((await unlock(token, person.id).expect(200)).body).toEqual({ released: 2 });
    await unlock(token, '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10').expect(404);
    expect(await app.auditTypes(person.id)).toContain('account.unlocked');
    await from('198.51.100.10', person.username, person.password).expect(200);
  });

  it('stores no name, and sweeps what is over', async () => {
    const name = `nobody${randomBytes(4).toString('hex')}`;
    await fail('198.51.100.11', name, 1);
    const rows = await app.rows<{ count: number; text: string }>(
      'select count(*)::int, string_agg(c::text, $$|$$) as text from login_counters c',
    );
    expect(rows[0].count).toBeGreaterThan(2);
    expect(rows[0].text).not.toContain(name);
    app.advance(31 * 86_400);
    await app.app.get(Janitor, { strict: false }).tidy();
    expect(await app.rows('select 1 from login_counters')).toEqual([]);
  });
});

describe('an account that must change its password', () => {
  let app: TestApp;
  let person: Person;
  beforeAll(async () => {
    app = await TestApp.start();
    person = await app.givenPerson();
    await app.rows('update users set must_change_password = true where id = $1', [person.id]);
  });
  afterAll(() => app.stop());

  const withToken = (token: string, method: 'get' | 'post', path: string) =>
    app.client().send(method, path).set('Authorization', `Bearer ${token}`);

  it('may see itself, change it and sign out, and nothing else; other services refuse its tokens', async () => {
    const { body } = await app.client().login(person).expect(200);
    const claims = JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString());
    expect(claims.aud).toBe('urn:latchkey:password-change');
    expect((await withToken(body.access_token, 'get', '/auth/me').expect(200)).body.must_change_password).toBe(true);
    expect((await withToken(body.access_token, 'get', '/auth/activity').expect(403)).body.code).toBe(
      'password_change_required',
    );
    expect((await withToken(body.access_token, 'get', '/auth/devices').expect(403)).body.code).toBe(
      'password_change_required',
    );
    const [refused] = await app.rows<{ details: object }>(
      `select details from audit_events where user_id = $1 and type = 'access.refused' order by id desc limit 1`,
      [person.id],
    );
    expect(refused.details).toEqual({ code: 'password_change_required', method: 'GET', path: '/auth/devices' });

    await withToken(body.access_token, 'post', '/auth/change-password')
      .send({ current_password: person.password, new_password: 'an entirely new password' })
      .expect(200);
    await withToken(body.access_token, 'get', '/auth/activity').expect(200);
    const { body: refreshed } = await app.client().refresh(body.refresh_token).expect(200);
    expect(JSON.parse(Buffer.from(refreshed.access_token.split('.')[1], 'base64url').toString()).aud).toBe('latchkey');
    await withToken(body.access_token, 'post', '/auth/logout').expect(200);
  });
});

describe('POST /auth/change-password', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('holds back whoever guesses the current password with a stolen token, and not the owner’s sign-in', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    const change = (current: string) =>
      app
        .client()
        .send('post', '/auth/change-password')
        .set('Authorization', `Bearer ${accessToken}`)
        .send({ current_password: current, new_password: 'an entirely new password' });
    for (let time = 0; time < 5; time++) await change(WRONG).expect(401);
    expect((await change(person.password).expect(429)).body.code).toBe('account_locked');
    const types = await app.auditTypes(person.id);
    expect(types.slice(-3)).toEqual(['password.change_failed', 'login.locked', 'login.refused']);
    await app.client().login(person).expect(200);
  });
});

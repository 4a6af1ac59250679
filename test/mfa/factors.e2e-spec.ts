import { recoveryCodesResponse } from '../../src/mfa/mfa.schemas.js';
import { AuthenticatorApp } from '../support/authenticator-app.js';
import type { Browser } from '../support/browser.js';
import { type GivenTotp, type Person, PASSWORD, TestApp } from '../support/test-app.js';

/** Both steps from a browser that nobody knows. */
async function signIn(app: TestApp, person: Person, code: string, browser = app.browser()) {
  const { body } = await browser.login(person).expect(200);
  const { mfa_token } = body as { mfa_token: string };
  return browser.send('post', '/auth/2fa/verify').send({ mfa_token, code });
}

const as = (browser: Browser, accessToken: string) => ({
  get: (path: string) => browser.send('get', path).set('Authorization', `Bearer ${accessToken}`),
  post: (path: string) => browser.send('post', path).set('Authorization', `Bearer ${accessToken}`),
  delete: (path: string) => browser.send('delete', path).set('Authorization', `Bearer ${accessToken}`),
});

describe('recovery codes', () => {
  let app: TestApp;
  let given: GivenTotp;
  beforeAll(async () => (app = await TestApp.start({ LOCKOUT_ATTEMPTS: '100' })));
  beforeEach(async () => (given = await app.givenTotp()));
  afterAll(() => app.stop());

  it('are ten, of 120 bits each, and come with the first factor alone', async () => {
    const { recoveryCodes, browser, accessToken } = given;
    expect(recoveryCodes).toHaveLength(10);
    expect(new Set(recoveryCodes).size).toBe(10);
    for (const code of recoveryCodes) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{6}-){3}[0-9A-HJKMNP-TV-Z]{6}$/);
    expect((await app.addTotp(browser, accessToken)).recoveryCodes).toEqual([]);
  });

  it('sign in once each, count down, and leave a row', async () => {
    const { person, recoveryCodes, browser, accessToken } = given;
    expect((await signIn(app, person, recoveryCodes[0])).status).toBe(200);
    expect((await signIn(app, person, recoveryCodes[0])).body).toMatchObject({ code: 'mfa_invalid' });
    expect((await signIn(app, person, recoveryCodes[1])).status).toBe(200);
    const { body } = await as(browser, accessToken).get('/auth/2fa').expect(200);
    expect(body).toMatchObject({ recovery_codes_left: 8 });
    const used = await app.rows<{ details: { left: number } }>(
      "select details from audit_events where user_id = $1 and type = 'mfa.recovery_code_used' order by id",
      [person.id],
    );
    expect(used.map(({ details }) => details.left)).toEqual([9, 8]);
  });

  it('are taken as people copy them', async () => {
    const { person, recoveryCodes } = given;
    expect((await signIn(app, person, recoveryCodes[0].toLowerCase())).status).toBe(200);
    expect((await signIn(app, person, recoveryCodes[1].replaceAll('-', ''))).status).toBe(200);
    const lookAlike = recoveryCodes[2].replaceAll('0', 'o').replaceAll('1', 'l');
    expect((await signIn(app, person, lookAlike)).status).toBe(200);
    expect((await signIn(app, person, recoveryCodes[3].slice(0, -1))).status).toBe(401);
  });

  it('are stored as keyed hashes, and one of another user opens nothing', async () => {
    const { person, recoveryCodes } = given;
    const other = await app.givenTotp();
    expect((await signIn(app, other.person, recoveryCodes[0])).status).toBe(401);
    const [{ text }] = await app.rows<{ text: string }>(
      "select string_agg(c::text, '|') as text from recovery_codes c where user_id = $1",
      [person.id],
    );
    for (const code of recoveryCodes) expect(text).not.toContain(Buffer.from(code.replaceAll('-', '')).toString('hex'));
    // A hash that was moved to another user's row opens nothing either: the user is in it.
    await app.rows('update recovery_codes set user_id = $2 where user_id = $1', [person.id, other.person.id]);
    expect((await signIn(app, other.person, recoveryCodes[0])).status).toBe(401);
  });

  it('are renewed as a set: those before count no more', async () => {
    const { person, browser, accessToken, recoveryCodes } = given;
    const { body } = await as(browser, accessToken).post('/auth/2fa/recovery-codes').expect(200);
    const fresh = recoveryCodesResponse.parse(body).recovery_codes;
    expect(fresh).toHaveLength(10);
    expect((await signIn(app, person, recoveryCodes[5])).status).toBe(401);
    expect((await signIn(app, person, fresh[5])).status).toBe(200);
    expect(await app.auditTypes(person.id)).toContain('mfa.recovery_codes_made');
  });

  it('are nothing without another factor', async () => {
    const { browser, accessToken } = await app.givenSignedIn();
    const { body } = await as(browser, accessToken).post('/auth/2fa/recovery-codes').expect(403);
    expect(body).toMatchObject({ code: 'mfa_enrollment_required' });
  });

  it('leave the list of methods when the last one is used', async () => {
    const { person, recoveryCodes } = given;
    await app.rows(
      'update recovery_codes set used_at = now() where user_id = $1 and code_hash <> (select min(code_hash) from recovery_codes where user_id = $1)',
      [person.id],
    );
    const tried = await Promise.all(recoveryCodes.map((code) => signIn(app, person, code)));
    expect(tried.filter(({ status }) => status === 200)).toHaveLength(1);
    const { body } = await app.browser().login(person).expect(200);
    expect((body as { mfa_methods: string[] }).mfa_methods).toEqual(['totp']);
  });
});

describe('authenticator apps', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ LOCKOUT_ATTEMPTS: '100' })));
  afterAll(() => app.stop());

  it('count when they are confirmed, not before', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const mine = as(browser, accessToken);
    const { body } = await mine.post('/auth/2fa/totp').send({ name: 'Phone' }).expect(200);
    const { secret, otpauth_uri, qr_svg } = body as Record<string, string>;
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(decodeURIComponent(otpauth_uri)).toContain(`Latchkey:${person.username}`);
    expect(qr_svg).toMatch(/^<svg/);
    await app.browser().login(person).expect(200); // a session: see below
    const authenticator = new AuthenticatorApp(secret, () => app.now);
    await mine.post('/auth/2fa/totp/confirm').send({ code: authenticator.wrongCode() }).expect(401);
    expect((await app.browser().login(person).expect(200)).body).toHaveProperty('access_token');
    await mine.post('/auth/2fa/totp/confirm').send({ code: authenticator.code() }).expect(200);
    expect((await app.browser().login(person).expect(200)).body).toHaveProperty('mfa_token');
    // The code that confirmed it is spent.
    expect((await signIn(app, person, authenticator.code())).status).toBe(401);
    expect((await mine.get('/auth/2fa').expect(200)).body).toMatchObject({ totp: [{ name: 'Phone' }] });
  });

  it('a set-up is forgotten after an hour, and by the next one', async () => {
    const { browser, accessToken } = await app.givenSignedIn();
    const mine = as(browser, accessToken);
    const secrets: string[] = [];
    for (let time = 0; time < 2; time++)
      secrets.push(((await mine.post('/auth/2fa/totp').expect(200)).body as { secret: string }).secret);
    const [first, second] = secrets.map((secret) => new AuthenticatorApp(secret, () => app.now));
    await mine.post('/auth/2fa/totp/confirm').send({ code: first.code() }).expect(401);
    await app.rows(
      "update totp_authenticators set created_at = created_at - interval '61 minutes' where confirmed_at is null",
    );
    await mine.post('/auth/2fa/totp/confirm').send({ code: second.code() }).expect(401);
  });

  it('are several, each with its own codes, and go one by one', async () => {
    const { person, browser, accessToken, app: first } = await app.givenTotp();
    const { app: second } = await app.addTotp(browser, accessToken);
    expect((await signIn(app, person, first.code())).status).toBe(200);
    expect((await signIn(app, person, second.code())).status).toBe(200);
    app.advance(30);
    const mine = as(browser, accessToken);
    const { totp } = (await mine.get('/auth/2fa').expect(200)).body as { totp: { id: string }[] };
    const proof = { password: PASSWORD, code: second.code() };
    await mine.delete(`/auth/2fa/totp/${totp[0].id}`).send(proof).expect(204);
    app.advance(30);
    expect((await signIn(app, person, first.code())).status).toBe(401);
    expect((await signIn(app, person, second.code())).status).toBe(200);
    app.advance(30);
    await mine
      .delete(`/auth/2fa/totp/${totp[0].id}`)
      .send({ ...proof, code: second.code() })
      .expect(404);
  });

  it('are taken away by the password and a code, both', async () => {
    const { person, browser, accessToken, app: authenticator, recoveryCodes } = await app.givenTotp();
    const remove = (body: object) => as(browser, accessToken).delete('/auth/2fa/totp').send(body);
    await remove({ code: authenticator.code() }).expect(422);
    await remove({ password: PASSWORD }).expect(422);
    const wrong = await remove({ password: 'not the password', code: authenticator.code() }).expect(401);
    expect(wrong.body).toMatchObject({ code: 'invalid_credentials' });
    const stale = await remove({ password: PASSWORD, code: authenticator.wrongCode() }).expect(401);
    expect(stale.body).toMatchObject({ code: 'mfa_invalid' });
    await remove({ password: PASSWORD, code: authenticator.code() }).expect(204);
    expect((await app.browser().login(person).expect(200)).body).toHaveProperty('access_token');
    expect(await app.auditTypes(person.id)).toContain('mfa.totp_removed');
    // And nothing of it comes back with the next factor: not the seed, not the recovery codes.
    const next = await app.addTotp(browser, accessToken);
    expect(next.recoveryCodes).toHaveLength(10);
    expect((await signIn(app, person, recoveryCodes[0])).status).toBe(401);
    expect((await signIn(app, person, authenticator.code())).status).toBe(401);
  });

  it('are ten at most', async () => {
    const { browser, accessToken } = await app.givenTotp();
    for (let time = 1; time < 10; time++) await app.addTotp(browser, accessToken);
    const { body } = await as(browser, accessToken).post('/auth/2fa/totp').expect(409);
    expect(body).toMatchObject({ code: 'too_many_factors' });
  });

  it('nobody takes another user’s away', async () => {
    const { browser, accessToken } = await app.givenTotp();
    const { totp } = (await as(browser, accessToken).get('/auth/2fa')).body as { totp: { id: string }[] };
    const other = await app.givenTotp();
    const proof = { password: PASSWORD, code: other.app.code() };
    await as(other.browser, other.accessToken).delete(`/auth/2fa/totp/${totp[0].id}`).send(proof).expect(404);
  });
});

describe('seeds', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ LOCKOUT_ATTEMPTS: '100' })));
  afterAll(() => app.stop());

  it('are in no row, log or answer after they were shown', async () => {
    const { person, app: authenticator, recoveryCodes } = await app.givenTotp();
    await signIn(app, person, authenticator.code());
    const { base32 } = await import('@scure/base');
    const seed = Buffer.from(base32.decode(authenticator.secret)).toString('hex');
    for (const table of ['totp_authenticators', 'audit_events', 'recovery_codes', 'half_way_sign_ins', 'users']) {
      const [{ text }] = await app.rows<{ text: string }>(`select string_agg(t::text, '|') as text from ${table} t`);
      expect(text).not.toContain(seed);
      expect(text).not.toContain(authenticator.secret);
    }
    for (const secret of [authenticator.secret, ...recoveryCodes]) expect(app.log).not.toContain(secret);
  });

  it('open for their own user alone', async () => {
    const [mine, other] = [await app.givenTotp(), await app.givenTotp()];
    await app.rows(
      `update totp_authenticators t set seed = o.seed, key_id = o.key_id from totp_authenticators o
        where t.user_id = $1 and o.user_id = $2`,
      [other.person.id, mine.person.id],
    );
    expect((await signIn(app, other.person, mine.app.code())).status).toBe(401);
    expect((await signIn(app, mine.person, mine.app.code())).status).toBe(200);
  });

  it('outlive a change of MASTER_SECRET, and are sealed anew at their next use; recovery codes too', async () => {
    const { person, app: authenticator, recoveryCodes } = await app.givenTotp();
    const keyIdOf = async () =>
      (await app.rows<{ key_id: string }>('select key_id from totp_authenticators where user_id = $1', [person.id]))[0]
        .key_id;
    const before = await keyIdOf();
    const secrets = { MASTER_SECRET: `${'a'.repeat(20)}bcdefghijklmnopqrstuvwxyz` };
    const next = await app.replica({ ...secrets, MASTER_SECRET_PREVIOUS: app.config.masterSecret });
    try {
      expect((await signIn(next, person, authenticator.code())).status).toBe(200);
      expect(await keyIdOf()).not.toBe(before);
      expect((await signIn(next, person, recoveryCodes[0])).status).toBe(200);
    } finally {
      await next.stop();
    }
    app.advance(30);
    const last = await app.replica(secrets);
    try {
      expect((await signIn(last, person, authenticator.code())).status).toBe(200);
    } finally {
      await last.stop();
    }
  });
});

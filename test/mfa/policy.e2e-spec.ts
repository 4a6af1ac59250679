import { decodeJwt } from 'jose';

import { AuthenticatorApp } from '../support/authenticator-app.js';
import type { Browser } from '../support/browser.js';
import { type Person, TestApp } from '../support/test-app.js';

interface Enrollment {
  code: string;
  mfa_token: string;
  mfa_methods: string[];
  access_token?: string;
}

const post = (browser: Browser, path: string, body: object) => browser.send('post', path).send(body);
const bearer = (browser: Browser, token: string, path: string) =>
  browser.send('get', path).set('Authorization', `Bearer ${token}`);

/** Sets an authenticator up by an enrolment token, and signs in by it. */
async function enroll(app: TestApp, browser: Browser, mfa_token: string) {
  const setUp = await post(browser, '/auth/2fa/enrollment/totp', { mfa_token }).expect(200);
  const authenticator = new AuthenticatorApp((setUp.body as { secret: string }).secret, () => app.now);
  const confirm = (code: string) => post(browser, '/auth/2fa/enrollment/totp/confirm', { mfa_token, code });
  return { authenticator, confirm };
}

describe('REQUIRE_MFA=all', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ REQUIRE_MFA: 'all' })));
  afterAll(() => app.stop());

  const newPerson = (): Person => {
    const username = `u${crypto.randomUUID().slice(0, 8)}`;
    return { id: '', username, email: `${username}@example.com`, password: 'correct-horse-battery' };
  };

  it('a registration makes the account and no session; setting a factor up signs in', async () => {
    const person = newPerson();
    const browser = app.browser();
    const { body } = await browser.register(person).expect(201);
    expect(body).toMatchObject({ mfa_enrollment_required: true, mfa_methods: ['totp'] });
    expect([...browser.jar.keys()]).toEqual(['XSRF-TOKEN']);
    const { authenticator, confirm } = await enroll(app, browser, (body as Enrollment).mfa_token);
    await confirm(authenticator.wrongCode()).expect(401);
    const signedIn = await confirm(authenticator.code()).expect(200);
    const { access_token, recovery_codes, user } = signedIn.body as {
      access_token: string;
      recovery_codes: string[];
      user: { id: string };
    };
    expect(recovery_codes).toHaveLength(10);
    expect(decodeJwt(access_token)).toMatchObject({ aud: 'latchkey', amr: ['pwd', 'otp', 'mfa'] });
    expect(browser.cookie('refresh_token')).toBeDefined();
    expect((await app.auditTypes(user.id)).slice(0, 2)).toEqual(['user.registered', 'login.challenged']);
    await confirm(authenticator.code()).expect(401);
  });

  it('a sign-in without a factor is refused, with the way to set one up, and nothing else', async () => {
    const person = newPerson();
    await app.browser().register(person).expect(201);
    const browser = app.browser();
    const { body } = await browser.login(person).expect(403);
    const refused = body as Enrollment;
    expect(refused).toMatchObject({ code: 'mfa_enrollment_required', mfa_methods: ['totp'], expires_in: 300 });
    expect(refused).not.toHaveProperty('access_token');
    expect(browser.cookie('refresh_token')).toBeUndefined();
    // An enrolment token is no proof of a factor, and the reverse.
    const { authenticator, confirm } = await enroll(app, browser, refused.mfa_token);
    await post(browser, '/auth/2fa/verify', { mfa_token: refused.mfa_token, code: authenticator.code() }).expect(401);
    await confirm(authenticator.code()).expect(200);
    app.advance(30);
    const next = app.browser();
    const half = (await next.login(person).expect(200)).body as Enrollment;
    await post(next, '/auth/2fa/enrollment/totp', { mfa_token: half.mfa_token }).expect(401);
    await post(next, '/auth/2fa/verify', { mfa_token: half.mfa_token, code: authenticator.code() }).expect(200);
  });

  it('an enrolment is bound to its browser', async () => {
    const person = newPerson();
    const browser = app.browser();
    const { mfa_token } = (await browser.register(person).expect(201)).body as Enrollment;
    const other = await app.browser().withCsrf();
    await post(other, '/auth/2fa/enrollment/totp', { mfa_token }).expect(401);
    await post(browser, '/auth/2fa/enrollment/totp', { mfa_token }).expect(200);
  });

  it('no browser is remembered, and the last factor stays', async () => {
    const person = newPerson();
    const browser = app.browser();
    const { mfa_token } = (await browser.register(person).expect(201)).body as Enrollment;
    const { authenticator, confirm } = await enroll(app, browser, mfa_token);
    const { access_token } = (await confirm(authenticator.code()).expect(200)).body as { access_token: string };
    app.advance(30);
    const half = (await browser.login(person).expect(200)).body as Enrollment;
    const step = { mfa_token: half.mfa_token, code: authenticator.code(), remember_device: true };
    await post(browser, '/auth/2fa/verify', step).expect(200);
    expect((await browser.login(person).expect(200)).body).toHaveProperty('mfa_token');
    app.advance(30);
    const removed = await browser
      .send('delete', '/auth/2fa/totp')
      .set('Authorization', `Bearer ${access_token}`)
      .send({ password: person.password, code: authenticator.code() });
    expect([removed.status, (removed.body as Enrollment).code]).toEqual([401, 'token_revoked']); // that session was replaced
    const again = (await app.client().login(person).expect(200)).body as Enrollment;
    app.advance(30);
    const { body } = await app
      .client()
      .send('post', '/auth/2fa/verify')
      .send({ mfa_token: again.mfa_token, code: authenticator.code() })
      .expect(200);
    app.advance(30);
    const last = await app
      .client()
      .send('delete', '/auth/2fa/totp')
      .set('Authorization', `Bearer ${(body as { access_token: string }).access_token}`)
      .send({ password: person.password, code: authenticator.code() })
      .expect(403);
    expect(last.body).toMatchObject({ code: 'mfa_enrollment_required' });
    expect((await app.browser().login(person).expect(200)).body).toHaveProperty('mfa_token');
  });
});

describe('REQUIRE_MFA=admin', () => {
  let app: TestApp;
  let strict: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
    strict = await app.replica({ REQUIRE_MFA: 'admin' });
  });
  afterAll(async () => {
    await strict.stop();
    await app.stop();
  });

  const promote = ({ id }: Person) => app.rows(`update users set roles = '{user,admin}' where id = $1`, [id]);

  it('asks administrators, and nobody else', async () => {
    const [person, admin] = [await app.givenPerson(), await app.givenPerson()];
    await promote(admin);
    await strict.browser().login(person).expect(200);
    expect((await strict.browser().login(admin).expect(403)).body).toMatchObject({ code: 'mfa_enrollment_required' });
  });

  it('a session from before the policy can set a factor up, and do nothing else until then', async () => {
    const { person, browser: own } = await app.givenSignedIn();
    await promote(person);
    const browser = strict.browser();
    for (const [name, cookie] of own.jar) browser.jar.set(name, cookie);
    const { access_token: token } = (await browser.refresh().expect(200)).body as { access_token: string };
    expect(decodeJwt(token).aud).toBe('urn:latchkey:second-factor');
    for (const path of ['/auth/sessions', '/auth/activity', '/auth/devices'])
      expect((await bearer(browser, token, path).expect(403)).body).toMatchObject({ code: 'mfa_enrollment_required' });
    await bearer(browser, token, '/auth/me').expect(200);
    await strict.addTotp(browser, token);
    const next = (await browser.refresh().expect(200)).body as { access_token: string };
    expect(decodeJwt(next.access_token)).toMatchObject({ aud: 'latchkey', amr: ['pwd', 'otp', 'mfa'] });
    await bearer(browser, next.access_token, '/auth/sessions').expect(200);
  });

  it('a session that lacks the factor its user has needs it first', async () => {
    const { person, browser: own, app: authenticator } = await app.givenTotp();
    await app.rows(`update sessions set amr = '{pwd}' where user_id = $1`, [person.id]);
    await promote(person);
    const browser = strict.browser();
    for (const [name, cookie] of own.jar) browser.jar.set(name, cookie);
    const { access_token: token } = (await browser.refresh().expect(200)).body as { access_token: string };
    const { body } = await bearer(browser, token, '/auth/sessions').expect(403);
    expect(body).toMatchObject({ code: 'step_up_required', methods: ['totp', 'recovery_code'] });
    const stepUp = (proof: object) => post(browser, '/auth/step-up', proof).set('Authorization', `Bearer ${token}`);
    const byPassword = (await stepUp({ password: person.password }).expect(200)).body as { access_token: string };
    await bearer(browser, byPassword.access_token, '/auth/sessions').expect(403); // recent, and still one factor
    const byCode = (await stepUp({ code: authenticator.code() }).expect(200)).body as { access_token: string };
    await bearer(browser, byCode.access_token, '/auth/sessions').expect(200);
  });

  it('services are told that a token of such a session is not active', async () => {
    const { person, browser: own } = await app.givenSignedIn();
    await promote(person);
    const browser = strict.browser();
    for (const [name, cookie] of own.jar) browser.jar.set(name, cookie);
    const { access_token: token } = (await browser.refresh().expect(200)).body as { access_token: string };
    const { authorization } = await strict.givenClient();
    const { body } = await strict
      .client()
      .send('post', '/oauth/introspect')
      .set('Authorization', authorization)
      .type('form')
      .send({ token })
      .expect(200);
    expect(body).toEqual({ active: false });
  });
});

describe('a remembered browser', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  async function givenRemembered() {
    const given = await app.givenTotp();
    const browser = app.browser();
    const half = (await browser.login(given.person).expect(200)).body as Enrollment;
    const step = { mfa_token: half.mfa_token, code: given.app.code(), remember_device: true };
    const { body } = await post(browser, '/auth/2fa/verify', step).expect(200);
    app.advance(30);
    return { ...given, browser, accessToken: (body as { access_token: string }).access_token };
  }

  it('skips the second step for thirty days, by the password alone', async () => {
    const { person, browser } = await givenRemembered();
    const { body } = await browser.login(person).expect(200);
    expect(decodeJwt((body as { access_token: string }).access_token).amr).toEqual(['pwd']);
    expect((await app.browser().login(person).expect(200)).body).toHaveProperty('mfa_token');
    await app.rows(
      "update user_devices set remembered_until = remembered_until - interval '30 days' where user_id = $1",
      [person.id],
    );
    expect((await browser.login(person).expect(200)).body).toHaveProperty('mfa_token');
  });

  it('is listed, and skips nothing once it is forgotten', async () => {
    const { person, browser, accessToken } = await givenRemembered();
    const { items } = (await bearer(browser, accessToken, '/auth/devices').expect(200)).body as {
      items: { id: string; current: boolean; remembered_until: string | null }[];
    };
    const mine = items.find(({ current }) => current)!;
    expect(Date.parse(mine.remembered_until!) - app.now.getTime()).toBeGreaterThan(29 * 86_400_000);
    expect(items.filter(({ remembered_until }) => remembered_until !== null)).toHaveLength(1);
    await browser.send('delete', `/auth/devices/${mine.id}`).set('Authorization', `Bearer ${accessToken}`).expect(204);
    expect((await browser.login(person).expect(200)).body).toHaveProperty('mfa_token');
  });

  it('skips nothing once the password is changed, or for somebody else', async () => {
    const { person, browser, accessToken } = await givenRemembered();
    const other = await app.givenTotp();
    expect((await browser.copy().login(other.person).expect(200)).body).toHaveProperty('mfa_token');
    const change = { current_password: person.password, new_password: 'another-long-password' };
    await post(browser, '/auth/change-password', change).set('Authorization', `Bearer ${accessToken}`).expect(200);
    const { body } = await browser.login({ ...person, password: change.new_password }).expect(200);
    expect(body).toHaveProperty('mfa_token');
  });

  it('is none where nobody asked, or the setting says never', async () => {
    const { person, browser, app: authenticator } = await app.givenTotp();
    expect((await browser.login(person).expect(200)).body).toHaveProperty('mfa_token');
    const never = await app.replica({ REMEMBER_DEVICE_DAYS: '0' });
    try {
      const half = (await browser.login(person).expect(200)).body as Enrollment;
      const step = { mfa_token: half.mfa_token, code: authenticator.code(), remember_device: true };
      await post(browser, '/auth/2fa/verify', step).expect(200);
      const there = never.browser();
      for (const [name, cookie] of browser.jar) there.jar.set(name, cookie);
      expect((await there.login(person).expect(200)).body).toHaveProperty('mfa_token');
    } finally {
      await never.stop();
    }
  });
});

describe('lost factors', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('an administrator takes them away: the sessions end, and the audit says who did it', async () => {
    const { person, browser, recoveryCodes } = await app.givenTotp();
    const admin = await app.givenAdmin();
    const half = (await app.client().login(person).expect(200)).body as Enrollment;
    const { body } = await admin.post(`/admin/users/${person.id}/reset-factors`).expect(200);
    expect(body).toEqual({ revoked: 2 }); // of the registration, and of the browser
    await browser.refresh().expect(401);
    await app
      .client()
      .send('post', '/auth/2fa/verify')
      .send({ mfa_token: half.mfa_token, code: recoveryCodes[0] })
      .expect(401);
    expect((await app.browser().login(person).expect(200)).body).toHaveProperty('access_token');
    const [row] = await app.rows<{ actor_id: string; details: object }>(
      `select actor_id, details from audit_events where type = 'mfa.reset' and user_id = $1`,
      [person.id],
    );
    expect(row).toEqual({ actor_id: admin.person.id, details: { factors: ['totp', 'recovery_code'] } });
  });

  it('nobody else does, and not after a long time without a proof', async () => {
    const { person } = await app.givenTotp();
    const { accessToken } = await app.givenSignedIn();
    const path = `/admin/users/${person.id}/reset-factors`;
    const asUser = await app.client().send('post', path).set('Authorization', `Bearer ${accessToken}`).expect(403);
    expect(asUser.body).toMatchObject({ code: 'forbidden' });
    const admin = await app.givenAdmin();
    await admin.post('/admin/users/019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10/reset-factors').expect(404);
    app.advance(14 * 60);
    await admin.post(path).expect(200);
  });
});

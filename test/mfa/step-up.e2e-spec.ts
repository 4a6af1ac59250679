import { decodeJwt } from 'jose';
import request from 'supertest';

import type { Browser } from '../support/browser.js';
import { SoftPasskey } from '../support/soft-passkey.js';
import { PASSWORD, TestApp } from '../support/test-app.js';

const STEP_UP_SECONDS = 15 * 60;

describe('step-up', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  /** The session that a browser holds, with a token as fresh as can be: its proof of identity is old all the same. */
  async function longAfter(browser: Browser): Promise<string> {
    app.advance(STEP_UP_SECONDS + 1);
    return ((await browser.refresh().expect(200)).body as { access_token: string }).access_token;
  }

  const send = (browser: Browser, token: string, method: 'post' | 'delete', path: string) =>
    browser.send(method, path).set('Authorization', `Bearer ${token}`);

  const stepUp = (browser: Browser, token: string, proof: object) =>
    send(browser, token, 'post', '/auth/step-up').send(proof);

  const ACTIONS = [
    ['post', '/auth/2fa/totp'],
    ['post', '/auth/2fa/totp/confirm'],
    ['post', '/auth/2fa/recovery-codes'],
    ['post', '/auth/2fa/passkeys/options'],
    ['post', '/auth/2fa/passkeys'],
    ['delete', '/auth/2fa/passkeys/019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11'],
    ['post', '/auth/sessions/revoke-others'],
    ['delete', '/auth/sessions/019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11'],
  ] as const;

  it('is asked for by what changes factors and ends other sessions, and says what would do', async () => {
    const { browser } = await app.givenTotp();
    const token = await longAfter(browser);
    for (const [method, path] of ACTIONS) {
      const { status, body } = await send(browser, token, method, path);
      expect([path, status, body]).toEqual([
        path,
        403,
        expect.objectContaining({ code: 'step_up_required', methods: ['password', 'totp', 'recovery_code'] }),
      ]);
    }
    const { body } = await stepUp(browser, token, { password: PASSWORD }).expect(200);
    for (const [method, path] of ACTIONS) {
      const { status } = await send(browser, (body as { access_token: string }).access_token, method, path);
      expect([path, [200, 204, 404, 422].includes(status)]).toEqual([path, true]);
    }
  });

  it('is not asked for while the proof is recent, nor by what changes nothing', async () => {
    const { browser, accessToken } = await app.givenSignedIn();
    app.advance(STEP_UP_SECONDS - 60);
    await send(browser, accessToken, 'post', '/auth/2fa/totp').expect(200);
    const token = await longAfter(browser);
    await browser.send('get', '/auth/2fa').set('Authorization', `Bearer ${token}`).expect(200);
    await browser.send('get', '/auth/sessions').set('Authorization', `Bearer ${token}`).expect(200);
    await send(browser, token, 'post', '/auth/logout-all').expect(200);
  });

  it('by the password: a new auth_time in the token, and in those that follow', async () => {
    const { person, browser } = await app.givenSignedIn();
    const token = await longAfter(browser);
    const before = decodeJwt(token).auth_time as number;
    const held = browser.cookie('refresh_token');
    const { body } = await stepUp(browser, token, { password: PASSWORD }).expect(200);
    const claims = decodeJwt((body as { access_token: string }).access_token);
    expect(claims.auth_time).toBeGreaterThanOrEqual(before + STEP_UP_SECONDS);
    expect([claims.sid, claims.amr]).toEqual([decodeJwt(token).sid, ['pwd']]);
    // ASVS 7.2.4: the refresh token before it is spent, and the session goes on with the next.
    expect(browser.cookie('refresh_token')).not.toBe(held);
    const next = await browser.refresh().expect(200);
    expect(decodeJwt((next.body as { access_token: string }).access_token).auth_time).toBe(claims.auth_time);
    expect(await app.auditTypes(person.id)).toContain('session.stepped_up');
    // The token from before the proof does not share it.
    await send(browser, token, 'post', '/auth/2fa/totp').expect(403);
  });

  it('by a code, once; the session is then known for both', async () => {
    const { person, browser, app: authenticator, recoveryCodes } = await app.givenTotp();
    await app.rows(`update sessions set amr = '{pwd}' where user_id = $1`, [person.id]);
    const token = await longAfter(browser);
    const code = authenticator.code();
    const { body } = await stepUp(browser, token, { code }).expect(200);
    expect(decodeJwt((body as { access_token: string }).access_token).amr).toEqual(['pwd', 'otp', 'mfa']);
    expect((await stepUp(browser, token, { code }).expect(401)).body).toMatchObject({ code: 'mfa_invalid' });
    await stepUp(browser, token, { code: recoveryCodes[0], method: 'recovery_code' }).expect(200);
    await stepUp(browser, token, { code: recoveryCodes[0] }).expect(401);
  });

  it('by a passkey', async () => {
    const { browser, accessToken } = await app.givenSignedIn();
    const passkey = new SoftPasskey(app.config.http.publicUrl);
    const creation = await send(browser, accessToken, 'post', '/auth/2fa/passkeys/options').expect(200);
    const made = { name: 'Key', response: passkey.create(creation.body as Parameters<SoftPasskey['create']>[0]) };
    await send(browser, accessToken, 'post', '/auth/2fa/passkeys').send(made).expect(201);
    const token = await longAfter(browser);
    const options = await send(browser, token, 'post', '/auth/step-up/options').expect(200);
    const response = passkey.get(options.body as Parameters<SoftPasskey['get']>[0]);
    const { body } = await stepUp(browser, token, { response }).expect(200);
    expect(decodeJwt((body as { access_token: string }).access_token).amr).toEqual(['pwd', 'hwk', 'mfa']);
    await stepUp(browser, token, { response }).expect(401);
  });

  it('takes no proof of somebody else', async () => {
    const [mine, other] = [await app.givenTotp(), await app.givenTotp()];
    const token = await longAfter(mine.browser);
    await stepUp(mine.browser, token, { code: other.app.code() }).expect(401);
    await stepUp(mine.browser, token, { code: other.recoveryCodes[0] }).expect(401);
    await stepUp(mine.browser, token, { code: mine.app.code() }).expect(200);
  });

  it('counts wrong passwords, and stops there', async () => {
    const { person, browser } = await app.givenSignedIn();
    const token = await longAfter(browser);
    const wrong = () => stepUp(browser, token, { password: 'not the password' });
    for (let time = 0; time < 5; time++) await wrong().expect(401);
    expect((await wrong().expect(429)).body).toMatchObject({ code: 'account_locked' });
    await stepUp(browser, token, { password: PASSWORD }).expect(429);
    expect(await app.auditTypes(person.id)).toContain('session.step_up_failed');
    await app.browser().login(person).expect(200); // and it stops nobody who signs in
  });

  it('without cookies: gives the next refresh token where one was sent', async () => {
    const person = await app.givenPerson();
    const client = app.client();
    const { access_token, refresh_token } = (await client.login(person).expect(200)).body as Record<string, string>;
    const post = (body: object) =>
      client.send('post', '/auth/step-up').set('Authorization', `Bearer ${access_token}`).send(body);
    expect((await post({ password: PASSWORD }).expect(200)).body).not.toHaveProperty('refresh_token');
    const { body } = await post({ password: PASSWORD, refresh_token }).expect(200);
    await client.refresh((body as { refresh_token: string }).refresh_token).expect(200);
    const foreign = (await client.login(await app.givenPerson()).expect(200)).body as { refresh_token: string };
    const other = await post({ password: PASSWORD, refresh_token: foreign.refresh_token }).expect(200);
    expect(other.body).not.toHaveProperty('refresh_token');
    await client.refresh(foreign.refresh_token).expect(200);
  });

  it('asks for CSRF where a cookie could speak, and for one proof', async () => {
    const { accessToken } = await app.givenSignedIn();
    const post = (body: object) =>
      request(app.url).post('/auth/step-up').set('Authorization', `Bearer ${accessToken}`).send(body);
    for (const body of [{}, { password: PASSWORD, code: '123456' }, { password: [PASSWORD] }, { method: 'totp' }])
      expect((await post(body).expect(422)).body).toMatchObject({ code: 'validation_failed' });
    await request(app.url).post('/auth/step-up').send({ password: PASSWORD }).expect(401);
  });
});

import { decodeJwt } from 'jose';

import { AuthenticatorApp } from '../support/authenticator-app.js';
import type { Browser } from '../support/browser.js';
import { SoftPasskey } from '../support/soft-passkey.js';
import { type GivenTotp, PASSWORD, TestApp } from '../support/test-app.js';

/** Ways round a second factor that somebody with the password, a session or a stolen device might try. */
describe('no way round a second factor', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ DB_POOL_SIZE: '30' })));
  afterAll(() => app.stop());

  const send = (browser: Browser, token: string, method: 'get' | 'post' | 'delete', path: string) =>
    browser.send(method, path).set('Authorization', `Bearer ${token}`);

  const tokenOf = ({ body }: { body: unknown }) => (body as { access_token: string }).access_token;

  /** A session by the password alone, in a browser that skips the second step. */
  async function givenRemembered(): Promise<GivenTotp> {
    const given = await app.givenTotp();
    const browser = app.browser();
    const { mfa_token } = (await browser.login(given.person).expect(200)).body as { mfa_token: string };
    const step = { mfa_token, code: given.app.code(), remember_device: true };
    await browser.send('post', '/auth/2fa/verify').send(step).expect(200);
    app.advance(30);
    const accessToken = tokenOf(await browser.login(given.person).expect(200));
    expect(decodeJwt(accessToken).amr).toEqual(['pwd']);
    return { ...given, browser, accessToken };
  }

  it('a session by the password alone changes no factor, ends no other session, and makes no recovery codes', async () => {
    const { browser, accessToken, app: authenticator } = await givenRemembered();
    const refused = [
      ['post', '/auth/2fa/recovery-codes'],
      ['post', '/auth/2fa/totp'],
      ['post', '/auth/2fa/totp/confirm'],
      ['post', '/auth/2fa/passkeys/options'],
      ['post', '/auth/2fa/passkeys'],
      ['delete', '/auth/2fa/passkeys/019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11'],
      ['post', '/auth/sessions/revoke-others'],
    ] as const;
    const tryAll = async (token: string) => {
      for (const [method, path] of refused) {
        const { status, body } = await send(browser, token, method, path);
        expect([path, status, body]).toEqual([
          path,
          403,
          expect.objectContaining({ code: 'step_up_required', methods: ['totp', 'recovery_code'] }),
        ]);
      }
    };
    await tryAll(accessToken);
    const again = await send(browser, accessToken, 'post', '/auth/step-up').send({ password: PASSWORD }).expect(200);
    await tryAll(tokenOf(again)); // recent, and still not the factor
    const proven = await send(browser, accessToken, 'post', '/auth/step-up')
      .send({ code: authenticator.code() })
      .expect(200);
    await send(browser, tokenOf(proven), 'post', '/auth/2fa/recovery-codes').expect(200);
  });

  it('no administrator takes their own factors away as an administrator', async () => {
    const admin = await app.givenAdmin();
    const { body } = await admin.post(`/admin/users/${admin.person.id}/reset-factors`).expect(403);
    expect(body).toMatchObject({ code: 'forbidden' });
  });

  it('a sign-in that was under way when a factor came does not skip it', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    await send(browser, accessToken, 'get', '/auth/me').expect(200);
    // The sign-in has read that there is no factor, and waits for the row of its user.
    const [answer] = await app.whileLocked(
      `with changed as (update users set second_factors = '{totp}' where id = $1) select 1`,
      [person.id],
      1,
      () => [
        app
          .client()
          .login(person)
          .then((login) => login),
      ],
    );
    expect(answer.status).toBe(401);
    expect((await app.client().login(person).expect(200)).body).toHaveProperty('mfa_token');
  });

  it('a code that was right counts against nobody when something else was wrong', async () => {
    const { browser, accessToken, app: authenticator } = await app.givenTotp();
    const remove = () =>
      send(browser, accessToken, 'delete', '/auth/2fa/totp/019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11').send({
        password: PASSWORD,
        code: authenticator.code(),
      });
    for (let time = 0; time < 8; time++) await remove().expect(404);
    await send(browser, accessToken, 'delete', '/auth/2fa/totp')
      .send({ password: PASSWORD, code: authenticator.code() })
      .expect(204);
  });

  it('wrong answers of a passkey lock nobody out', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const passkey = new SoftPasskey(app.config.http.publicUrl);
    const creation = await send(browser, accessToken, 'post', '/auth/2fa/passkeys/options').expect(200);
    const response = passkey.create(creation.body as Parameters<SoftPasskey['create']>[0]);
    await send(browser, accessToken, 'post', '/auth/2fa/passkeys').send({ response }).expect(201);
    const tryWith = async (key: SoftPasskey) => {
      const stranger = app.browser();
      const { mfa_token } = (await stranger.login(person).expect(200)).body as { mfa_token: string };
      const options = await stranger.send('post', '/auth/2fa/options').send({ mfa_token }).expect(200);
      const answer = key.get(options.body as Parameters<SoftPasskey['get']>[0]);
      return stranger.send('post', '/auth/2fa/verify').send({ mfa_token, response: answer });
    };
    for (let time = 0; time < 8; time++)
      expect((await tryWith(new SoftPasskey(app.config.http.publicUrl))).status).toBe(401);
    expect((await tryWith(passkey)).status).toBe(200);
  });

  it('a disabled account leaves a row, and the passkey’s answer is spent', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const passkey = new SoftPasskey(app.config.http.publicUrl);
    const creation = await send(browser, accessToken, 'post', '/auth/2fa/passkeys/options').expect(200);
    const made = passkey.create(creation.body as Parameters<SoftPasskey['create']>[0]);
    await send(browser, accessToken, 'post', '/auth/2fa/passkeys').send({ response: made }).expect(201);
    const other = await app.browser().withCsrf();
    const options = await other.send('post', '/auth/passkeys/options').expect(200);
    const response = passkey.get(options.body as Parameters<SoftPasskey['get']>[0]);
    const verify = () => other.send('post', '/auth/passkeys/verify').send({ response });
    await app.rows('update users set is_active = false where id = $1', [person.id]);
    await verify().expect(403);
    expect((await app.auditTypes(person.id)).at(-1)).toBe('login.refused');
    await app.rows('update users set is_active = true where id = $1', [person.id]);
    await verify().expect(401);
  });

  it('signing out elsewhere, or everywhere, takes the skip from the browsers there', async () => {
    const { person, browser: lost, app: authenticator } = await givenRemembered();
    const own = app.browser();
    const { mfa_token } = (await own.login(person).expect(200)).body as { mfa_token: string };
    const step = { mfa_token, code: authenticator.code(), remember_device: true };
    const token = tokenOf(await own.send('post', '/auth/2fa/verify').send(step).expect(200));
    app.advance(30);
    await send(own, token, 'post', '/auth/sessions/revoke-others').expect(200);
    expect((await lost.login(person).expect(200)).body).toHaveProperty('mfa_token');
    const here = tokenOf(await own.login(person).expect(200)); // its own skip stays
    await send(own, here, 'post', '/auth/logout-all').expect(200);
    expect((await own.login(person).expect(200)).body).toHaveProperty('mfa_token');
  });

  it('a step-up that was asked for leaves a row', async () => {
    const { person, browser, accessToken } = await givenRemembered();
    await send(browser, accessToken, 'post', '/auth/2fa/totp').expect(403);
    const rows = await app.rows<{ code: string }>(
      "select details->>'code' as code from audit_events where user_id = $1 and type = 'access.refused'",
      [person.id],
    );
    expect(rows).toEqual([{ code: 'step_up_required' }]);
  });

  it('recovery codes spent and renewed at once never wait for each other', async () => {
    const { browser, accessToken, recoveryCodes } = await app.givenTotp();
    const begun = performance.now();
    const answers = await Promise.all(
      recoveryCodes.flatMap((code) => [
        send(browser.copy(), accessToken, 'post', '/auth/step-up').set('X-Auth-Transport', 'body').send({ code }),
        send(browser.copy(), accessToken, 'post', '/auth/2fa/recovery-codes'),
      ]),
    );
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  it('many passkeys at once are ten at most', async () => {
    const { browser, accessToken } = await app.givenSignedIn();
    const make = async () => {
      const options = await send(browser.copy(), accessToken, 'post', '/auth/2fa/passkeys/options');
      const response = new SoftPasskey(app.config.http.publicUrl).create(
        options.body as Parameters<SoftPasskey['create']>[0],
      );
      return send(browser.copy(), accessToken, 'post', '/auth/2fa/passkeys').send({ response });
    };
    const answers = await Promise.all(Array.from({ length: 14 }, make));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([
      ...Array<number>(10).fill(201),
      ...Array<number>(4).fill(409),
    ]);
  });

  it('a NUL in what the browser says of a passkey does not validate', async () => {
    const { browser, accessToken } = await app.givenSignedIn();
    const options = await send(browser, accessToken, 'post', '/auth/2fa/passkeys/options').expect(200);
    const made = new SoftPasskey(app.config.http.publicUrl).create(
      options.body as Parameters<SoftPasskey['create']>[0],
    );
    const response = { ...made, response: { ...made.response, transports: ['\0'] } };
    await send(browser, accessToken, 'post', '/auth/2fa/passkeys').send({ response }).expect(422);
  });

  it('the time is the server’s', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const browser = app.browser();
    const { mfa_token } = (await browser.login(person).expect(200)).body as { mfa_token: string };
    const later = new Date(app.now.getTime() + 3_600_000);
    const code = new AuthenticatorApp(authenticator.secret, () => later).code();
    await browser
      .send('post', '/auth/2fa/verify')
      .set('Date', later.toUTCString())
      .send({ mfa_token, code })
      .expect(401);
    await browser.send('post', '/auth/2fa/verify').send({ mfa_token, code, now: later.toISOString() }).expect(422);
  });
});

describe('no way round a policy', () => {
  let strict: TestApp;
  beforeAll(async () => (strict = await TestApp.start({ REQUIRE_MFA: 'all' })));
  afterAll(() => strict.stop());

  it('an enrolment token from before the first factor adds no other one', async () => {
    const person = { username: 'ada', email: 'ada@example.com', password: PASSWORD };
    await strict.browser().register(person).expect(201);
    const [attacker, owner] = [strict.browser(), strict.browser()];
    const begin = async (browser: Browser) =>
      ((await browser.login(person).expect(403)).body as { mfa_token: string }).mfa_token;
    const [early, late, own] = [await begin(attacker), await begin(attacker), await begin(owner)];
    const setUp = (browser: Browser, mfa_token: string) =>
      browser.send('post', '/auth/2fa/enrollment/totp').send({ mfa_token });
    const confirm = (browser: Browser, mfa_token: string, { body }: { body: unknown }) => {
      const { secret } = body as { secret: string };
      const code = new AuthenticatorApp(secret, () => strict.now).code();
      return browser.send('post', '/auth/2fa/enrollment/totp/confirm').send({ mfa_token, code });
    };
    await confirm(owner, own, await setUp(owner, own).expect(200)).expect(200);
    expect((await setUp(attacker, early).expect(401)).body).toMatchObject({ code: 'mfa_invalid' });
    // One that was set up before the owner's was confirmed.
    const row = { body: { secret: 'A'.repeat(32) } };
    await confirm(attacker, late, row).expect(401);
    const [{ count }] = await strict.rows<{ count: number }>('select count(*)::int as count from totp_authenticators');
    expect(count).toBe(1);
  });

  it('an enrolment token sets up and tries ten times, no more', async () => {
    const browser = strict.browser();
    const { body } = await browser
      .register({ username: 'bob', email: 'bob@example.com', password: PASSWORD })
      .expect(201);
    const { mfa_token } = body as { mfa_token: string };
    const setUp = () => browser.send('post', '/auth/2fa/enrollment/totp').send({ mfa_token });
    for (let time = 0; time < 10; time++) await setUp().expect(200);
    await setUp().expect(401);
  });

  it('a session that lacks the factor cannot add one of its own choice', async () => {
    const person = { username: 'eve', email: 'eve@example.com', password: PASSWORD };
    const browser = strict.browser();
    const { mfa_token } = (await browser.register(person).expect(201)).body as { mfa_token: string };
    const { body } = await browser.send('post', '/auth/2fa/enrollment/totp').send({ mfa_token }).expect(200);
    const code = new AuthenticatorApp((body as { secret: string }).secret, () => strict.now).code();
    const signedIn = await browser
      .send('post', '/auth/2fa/enrollment/totp/confirm')
      .send({ mfa_token, code })
      .expect(200);
    const { user } = signedIn.body as { user: { id: string } };
    // As a session is that was begun by the password alone, before the policy came.
    await strict.rows(`update sessions set amr = '{pwd}' where user_id = $1`, [user.id]);
    const { access_token } = (await browser.refresh().expect(200)).body as { access_token: string };
    for (const path of ['/auth/2fa/totp', '/auth/2fa/passkeys/options', '/auth/2fa/recovery-codes']) {
      const answer = await browser.send('post', path).set('Authorization', `Bearer ${access_token}`).expect(403);
      expect(answer.body).toMatchObject({ code: 'step_up_required', methods: ['totp', 'recovery_code'] });
    }
  });
});

import { decodeJwt, decodeProtectedHeader } from 'jose';

import type { HalfWayResponse } from '../../src/auth/auth.schemas.js';
import type { ApiClient } from '../support/api-client.js';
import type { Browser } from '../support/browser.js';
import { type GivenTotp, type Person, PASSWORD, TestApp } from '../support/test-app.js';

/** The first step from a browser. */
async function begin(browser: Browser, person: Person): Promise<HalfWayResponse> {
  const { body } = await browser.login(person).expect(200);
  expect(body).toMatchObject({ mfa_required: true });
  return body as HalfWayResponse;
}

const verify = (browser: Browser, { mfa_token }: HalfWayResponse, code: unknown, more: object = {}) =>
  browser.send('post', '/auth/2fa/verify').send({ mfa_token, code, ...more });

/** Both steps at once, from a browser that nobody knows. */
async function attempt(app: TestApp, person: Person, code: string) {
  const browser = app.browser();
  return verify(browser, await begin(browser, person), code);
}

const sessionsOf = (app: TestApp, { id }: Person) =>
  app.rows<{ id: string }>('select id from sessions where user_id = $1', [id]);

describe('signing in by two steps', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ LOCKOUT_ATTEMPTS: '100' })));
  afterAll(() => app.stop());

  it('gives no cookie and no session before the second step, and all of them after it', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const browser = await app.browser().withCsrf();
    const before = [...browser.jar.keys()];
    const had = await sessionsOf(app, person);
    const half = await begin(browser, person);
    expect(half).toEqual({
      mfa_required: true,
      mfa_token: expect.any(String) as string,
      mfa_methods: ['totp', 'recovery_code'],
      expires_in: 300,
    });
    expect([...browser.jar.keys()]).toEqual(before);
    expect(await sessionsOf(app, person)).toEqual(had);

    const { body } = await verify(browser, half, authenticator.code()).expect(200);
    expect(body).toMatchObject({ token_type: 'bearer', user: { id: person.id } });
    expect([...browser.jar.keys()].toSorted()).toEqual(['XSRF-TOKEN', 'device', 'refresh_token']);
    expect(decodeJwt((body as { access_token: string }).access_token).amr).toEqual(['pwd', 'otp', 'mfa']);
    expect(await sessionsOf(app, person)).toHaveLength(had.length + 1);
    expect((await app.auditTypes(person.id)).slice(-2)).toEqual(['login.challenged', 'login.succeeded']);
    await browser.refresh().expect(200);
  });

  it('tells the account what it has', async () => {
    const { browser, accessToken } = await app.givenTotp();
    const me = await browser.send('get', '/auth/me').set('Authorization', `Bearer ${accessToken}`).expect(200);
    expect((me.body as { mfa: object }).mfa).toEqual({ enabled: true, methods: ['totp', 'recovery_code'] });
    const { body } = await browser.send('get', '/auth/2fa').set('Authorization', `Bearer ${accessToken}`).expect(200);
    expect(body).toEqual({
      totp: [
        {
          id: expect.any(String) as string,
          name: 'Authenticator app',
          created_at: expect.any(String) as string,
          last_used_at: expect.any(String) as string,
        },
      ],
      passkeys: [],
      recovery_codes_left: 10,
    });
  });

  it('works for clients without cookies', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const client: ApiClient = app.client();
    const { body } = await client.login(person, 'phone-1').expect(200);
    const { mfa_token } = body as HalfWayResponse;
    const wrongDevice = { mfa_token, code: authenticator.code(), device_id: 'phone-2' };
    await client.send('post', '/auth/2fa/verify').send(wrongDevice).expect(401);
    const answer = await client
      .send('post', '/auth/2fa/verify')
      .send({ mfa_token, code: authenticator.code() })
      .expect(200);
    const { access_token, refresh_token } = answer.body as Record<string, string>;
    expect(decodeJwt(access_token).device_id).toBe('phone-1');
    await client.refresh(refresh_token).expect(200);
  });

  it('takes a code once, and none that is older than one that was taken', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    app.advance(90);
    const [older, newer] = [authenticator.code(-1), authenticator.code()];
    expect((await attempt(app, person, newer)).status).toBe(200);
    expect((await attempt(app, person, newer)).body).toMatchObject({ code: 'mfa_invalid' });
    expect((await attempt(app, person, older)).body).toMatchObject({ code: 'mfa_invalid' });
    app.advance(30);
    expect((await attempt(app, person, newer)).status).toBe(401);
    expect((await attempt(app, person, authenticator.code())).status).toBe(200);
  });

  it('takes the code of the step before, and of no other', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    app.advance(120);
    for (const steps of [-3, -2, 1, 2])
      expect([steps, (await attempt(app, person, authenticator.code(steps))).status]).toEqual([steps, 401]);
    expect((await attempt(app, person, authenticator.code(-1))).status).toBe(200);
    expect((await attempt(app, person, authenticator.code())).status).toBe(200);
  });

  it.each([
    '',
    ' ',
    '12345',
    '1234567',
    '12 345',
    '１２３４５６',
    '٤٩٢٠٣٩',
    '12345a',
    '-12345',
    '1e5',
    '0x1234',
    "' or 1=1--",
  ])('has an answer for the code %j', async (code) => {
    const { person } = await app.givenTotp();
    const { status, body } = await attempt(app, person, code);
    expect([status, (body as { code: string }).code]).toEqual(
      code === '' ? [422, 'validation_failed'] : [401, 'mfa_invalid'],
    );
  });

  it('takes the right code in no other spelling', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const code = authenticator.code();
    const fullWidth = [...code].map((digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)).join('');
    for (const spelling of [
      ` ${code}`,
      `${code} `,
      `${code.slice(0, 3)} ${code.slice(3)}`,
      fullWidth,
      `0${code}`,
      `${code}\n`,
    ])
      expect([spelling, (await attempt(app, person, spelling)).status]).toEqual([spelling, 401]);
    expect((await attempt(app, person, code)).status).toBe(200);
  });

  it.each([
    { code: ['123456'] },
    { code: [] },
    { code: 123456 },
    { code: { $gt: '' } },
    { code: null },
    { code: true },
    { code: 'x'.repeat(65) },
    { code: '12\u00003456' },
    {},
    { code: '123456', method: 'sms' },
    { code: '123456', method: 'passkey' },
    { code: '123456', user_id: 'someone' },
    { code: '123456', mfa_token: ['a'] },
    { code: '123456', mfa_token: '' },
    { code: '123456', remember_device: 'yes' },
    { response: {} },
  ])('refuses the body %j as one that does not validate', async (body) => {
    const browser = await app.browser().withCsrf();
    const answer = await browser
      .send('post', '/auth/2fa/verify')
      .send({ mfa_token: 'x', ...body })
      .expect(422);
    expect(answer.body).toMatchObject({ code: 'validation_failed' });
  });

  it('is bound to the browser that began', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const browser = app.browser();
    const half = await begin(browser, person);
    const other = await app.browser().withCsrf();
    expect((await verify(other, half, authenticator.code())).body).toMatchObject({ code: 'mfa_invalid' });
    const client = app.client();
    await client
      .send('post', '/auth/2fa/verify')
      .send({ mfa_token: half.mfa_token, code: authenticator.code() })
      .expect(401);
    await verify(browser, half, authenticator.code()).expect(200);
  });

  it('for a client without cookies, to the kind of its agent', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const { body } = await app.client('okhttp/4.12.0').login(person).expect(200);
    const step = { mfa_token: (body as HalfWayResponse).mfa_token, code: authenticator.code() };
    await app.client('curl/8.0').send('post', '/auth/2fa/verify').send(step).expect(401);
    await app.client('okhttp/5.0.0').send('post', '/auth/2fa/verify').send(step).expect(200);
  });

  it('waits five minutes', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const browser = app.browser();
    const [first, second] = [await begin(browser, person), await begin(browser, person)];
    app.advance(298);
    await verify(browser, first, authenticator.code()).expect(200);
    app.advance(30);
    const { body } = await verify(browser, second, authenticator.code()).expect(401);
    expect(body).toMatchObject({ code: 'mfa_invalid', detail: expect.stringContaining('expired') as string });
  });

  it('takes five wrong codes, then no more, not even the right one', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const browser = app.browser();
    const half = await begin(browser, person);
    for (let time = 0; time < 5; time++) await verify(browser, half, authenticator.wrongCode()).expect(401);
    await verify(browser, half, authenticator.code()).expect(401);
    await verify(browser, await begin(browser, person), authenticator.code()).expect(200);
  });

  it('is good once', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const browser = app.browser();
    const half = await begin(browser, person);
    await verify(browser, half, authenticator.code()).expect(200);
    app.advance(30);
    await verify(browser, half, authenticator.code()).expect(401);
  });

  it.each([
    ['its alg', { alg: 'none' }],
    ['its typ', { typ: 'at+jwt' }],
  ])('refuses a token with %s changed', async (_, change) => {
    const { person, app: authenticator } = await app.givenTotp();
    const browser = app.browser();
    const half = await begin(browser, person);
    const [header, payload, signature] = half.mfa_token.split('.');
    const changed = { ...(JSON.parse(Buffer.from(header, 'base64url').toString()) as object), ...change };
    const forged = `${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${payload}.${signature}`;
    await verify(browser, { ...half, mfa_token: forged }, authenticator.code()).expect(401);
    await verify(browser, half, authenticator.code()).expect(200);
  });

  it('ends where the password was changed since the first step, or the account disabled', async () => {
    const { person, browser: own, accessToken, app: authenticator } = await app.givenTotp();
    const browser = app.browser();
    const half = await begin(browser, person);
    const change = { current_password: PASSWORD, new_password: 'another-long-password' };
    await own
      .send('post', '/auth/change-password')
      .set('Authorization', `Bearer ${accessToken}`)
      .send(change)
      .expect(200);
    await verify(browser, half, authenticator.code()).expect(401);

    const next = await begin(browser, { ...person, password: change.new_password });
    await app.rows('update users set is_active = false where id = $1', [person.id]);
    const { body } = await verify(browser, next, authenticator.code()).expect(403);
    expect(body).toMatchObject({ code: 'account_disabled' });
  });

  it('ends the session that the browser held before', async () => {
    const { person, app: authenticator } = await app.givenTotp();
    const { browser } = await app.givenSignedIn();
    const other = browser.copy();
    await verify(browser, await begin(browser, person), authenticator.code()).expect(200);
    await other.refresh().expect(401);
  });

  it('names itself as what it is, and nothing of a session', async () => {
    const { person } = await app.givenTotp();
    const { mfa_token } = await begin(app.browser(), person);
    expect(decodeProtectedHeader(mfa_token)).toEqual({ alg: 'HS256', typ: 'mfa+jwt' });
    const claims = decodeJwt(mfa_token);
    expect(Object.keys(claims).toSorted()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'sub']);
    expect(claims.aud).toBe('urn:latchkey:second-step');
  });
});

describe('TOTP_WINDOW=0', () => {
  it('takes the code of the present step alone', async () => {
    const app = await TestApp.start({ TOTP_WINDOW: '0' });
    try {
      const { person, app: authenticator } = await app.givenTotp();
      app.advance(60);
      expect((await attempt(app, person, authenticator.code(-1))).status).toBe(401);
      expect((await attempt(app, person, authenticator.code())).status).toBe(200);
    } finally {
      await app.stop();
    }
  });
});

describe('many at once', () => {
  const MANY = 20;
  let app: TestApp;
  let given: GivenTotp;
  beforeAll(async () => (app = await TestApp.start({ LOCKOUT_ATTEMPTS: '100', DB_POOL_SIZE: '30' })));
  beforeEach(async () => (given = await app.givenTotp()));
  afterAll(() => app.stop());

  const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status).toSorted();
  const oneOf = (success: number, failure: number, count = MANY) => [
    success,
    ...Array<number>(count - 1).fill(failure),
  ];

  it('one code is taken once, by twenty sign-ins', async () => {
    const halves = await Promise.all(
      Array.from({ length: MANY }, async () => {
        const browser = app.browser();
        return { browser, half: await begin(browser, given.person) };
      }),
    );
    const code = given.app.code();
    const answers = await app.whileLocked(
      'select from totp_authenticators where user_id = $1 for update',
      [given.person.id],
      MANY,
      () => halves.map(({ browser, half }) => verify(browser, half, code)),
    );
    expect(statuses(answers)).toEqual(oneOf(200, 401));
  });

  it('one half-way token is good once, for twenty good codes', async () => {
    const browser = app.browser();
    const half = await begin(browser, given.person);
    const before = await sessionsOf(app, given.person);
    const codes = [given.app.code(), ...given.recoveryCodes];
    const answers = await app.whileLocked(
      'select from half_way_sign_ins where user_id = $1 for update',
      [given.person.id],
      MANY,
      () => Array.from({ length: MANY }, (_, index) => verify(browser.copy(), half, codes[index % codes.length])),
    );
    expect(statuses(answers)).toEqual(oneOf(200, 401));
    expect(await sessionsOf(app, given.person)).toHaveLength(before.length + 1);
    // What the others showed is not used up: they did not sign in.
    const [{ count }] = await app.rows<{ count: number }>(
      'select count(*)::int as count from recovery_codes where user_id = $1 and used_at is not null',
      [given.person.id],
    );
    expect(count).toBeLessThanOrEqual(1);
  });

  it('one recovery code is taken once, by twenty sign-ins', async () => {
    const halves = await Promise.all(
      Array.from({ length: MANY }, async () => {
        const browser = app.browser();
        return { browser, half: await begin(browser, given.person) };
      }),
    );
    const answers = await app.whileLocked(
      'select from recovery_codes where user_id = $1 for update',
      [given.person.id],
      MANY,
      () => halves.map(({ browser, half }) => verify(browser, half, given.recoveryCodes[3])),
    );
    expect(statuses(answers)).toEqual(oneOf(200, 401));
  });

  it('one set-up is confirmed once, and of many set-ups one stands', async () => {
    const { browser, accessToken } = await app.givenSignedIn();
    const post = (path: string) => browser.send('post', path).set('Authorization', `Bearer ${accessToken}`);
    const setUps = await Promise.all(Array.from({ length: MANY }, () => post('/auth/2fa/totp').expect(200)));
    const [{ count }] = await app.rows<{ count: number }>(
      'select count(*)::int as count from totp_authenticators where confirmed_at is null',
    );
    expect(count).toBe(1);
    const secrets = setUps.map(({ body }) => (body as { secret: string }).secret);
    expect(new Set(secrets).size).toBe(MANY);

    const setUp = await post('/auth/2fa/totp').expect(200);
    const { AuthenticatorApp } = await import('../support/authenticator-app.js');
    const code = new AuthenticatorApp((setUp.body as { secret: string }).secret, () => app.now).code();
    const answers = await app.whileLocked(
      'select from totp_authenticators where confirmed_at is null for update',
      [],
      MANY,
      () => Array.from({ length: MANY }, () => post('/auth/2fa/totp/confirm').send({ code })),
    );
    expect(statuses(answers)).toEqual(oneOf(200, 401));
    const shown = answers.flatMap(({ body }) => (body as { recovery_codes?: string[] }).recovery_codes ?? []);
    expect(shown).toHaveLength(10);
  });
});

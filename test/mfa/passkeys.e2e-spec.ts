import { decodeJwt } from 'jose';

import type { Browser } from '../support/browser.js';
import { SoftPasskey } from '../support/soft-passkey.js';
import { type Person, TestApp } from '../support/test-app.js';

type Creation = Parameters<SoftPasskey['create']>[0];
type RequestOptions = Parameters<SoftPasskey['get']>[0];

describe('passkeys', () => {
  let app: TestApp;
  let origin: string;
  beforeAll(async () => {
    app = await TestApp.start({
      LOCKOUT_ATTEMPTS: '100',
      DB_POOL_SIZE: '30',
      CORS_ORIGINS: 'http://app.localhost:5173,https://example.com',
    });
    origin = app.config.http.publicUrl;
  });
  afterAll(() => app.stop());

  const bearer = (browser: Browser, token: string, method: 'get' | 'post' | 'patch' | 'delete', path: string) =>
    browser.send(method, path).set('Authorization', `Bearer ${token}`);

  /** Adds a passkey for whoever is signed in. */
  async function add(browser: Browser, token: string, passkey: SoftPasskey, name = 'Key') {
    const options = await bearer(browser, token, 'post', '/auth/2fa/passkeys/options').expect(200);
    const response = passkey.create(options.body as Creation);
    return bearer(browser, token, 'post', '/auth/2fa/passkeys').send({ name, response });
  }

  async function givenPasskey(options?: ConstructorParameters<typeof SoftPasskey>[1]) {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const passkey = new SoftPasskey(origin, options);
    const { body } = await add(browser, accessToken, passkey).then((answer) => {
      expect(answer.status).toBe(201);
      return answer;
    });
    return { person, browser, accessToken, passkey, added: body as { id: string; recovery_codes: string[] } };
  }

  /** Signs in without a name, by a passkey alone. */
  async function signInAlone(browser: Browser, passkey: SoftPasskey, from = origin) {
    await browser.withCsrf();
    const options = await browser.send('post', '/auth/passkeys/options').expect(200);
    const response = passkey.get(options.body as RequestOptions, from);
    return browser.send('post', '/auth/passkeys/verify').send({ response });
  }

  async function secondStep(browser: Browser, person: Person) {
    const { body } = await browser.login(person).expect(200);
    const { mfa_token, mfa_methods } = body as { mfa_token: string; mfa_methods: string[] };
    const options = await browser.send('post', '/auth/2fa/options').send({ mfa_token }).expect(200);
    const verify = (response: object) =>
      browser.send('post', '/auth/2fa/verify').send({ mfa_token, method: 'passkey', response });
    return { mfa_token, mfa_methods, options: options.body as RequestOptions, verify };
  }

  it('are made by the browser’s owner, with what the service says of itself', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const { body } = await bearer(browser, accessToken, 'post', '/auth/2fa/passkeys/options').expect(200);
    expect(body).toMatchObject({
      rp: { id: 'localhost', name: 'Latchkey' },
      user: { name: person.username },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required' },
      excludeCredentials: [],
    });
    expect(Buffer.from((body as Creation).user.id, 'base64url').toString('hex')).toBe(person.id.replaceAll('-', ''));
  });

  it('are a second factor', async () => {
    const { person, passkey, added } = await givenPasskey({ counts: true });
    expect(added.recovery_codes).toHaveLength(10);
    const { mfa_methods, options, verify } = await secondStep(app.browser(), person);
    expect(mfa_methods).toEqual(['passkey', 'recovery_code']);
    expect(options).toMatchObject({ rpId: 'localhost', allowCredentials: [{ type: 'public-key' }] });
    const { body } = await verify(passkey.get(options)).expect(200);
    expect(decodeJwt((body as { access_token: string }).access_token).amr).toEqual(['pwd', 'hwk', 'mfa']);
    const [row] = await app.rows<{ sign_count: string }>('select sign_count from passkeys where user_id = $1', [
      person.id,
    ]);
    expect(row.sign_count).toBe('1');
  });

  it('as a second factor need not check who holds them; alone they must', async () => {
    const { person, passkey } = await givenPasskey({ verifiesUser: false });
    const { options, verify } = await secondStep(app.browser(), person);
    await verify(passkey.get(options)).expect(200);
    expect((await signInAlone(app.browser(), passkey)).body).toMatchObject({ code: 'mfa_invalid' });
  });

  it('sign in alone, without a name', async () => {
    const { person, passkey } = await givenPasskey({ synced: true });
    const browser = app.browser();
    const { status, body } = await signInAlone(browser, passkey);
    expect(status).toBe(200);
    expect(body).toMatchObject({ user: { id: person.id } });
    expect(decodeJwt((body as { access_token: string }).access_token).amr).toEqual(['user', 'swk', 'mfa']);
    expect([...browser.jar.keys()].toSorted()).toEqual(['XSRF-TOKEN', 'device', 'refresh_token']);
    await browser.refresh().expect(200);
    expect((await app.auditTypes(person.id)).at(-1)).toBe('login.succeeded');
  });

  it('work for front ends of the same domain, and for no other', async () => {
    const { passkey } = await givenPasskey();
    expect((await signInAlone(app.browser(), passkey, 'http://app.localhost:5173')).status).toBe(200);
    for (const foreign of [
      'https://example.com',
      'http://localhost.evil.test',
      'http://localhost:1',
      'null',
      `${origin}/`,
    ])
      expect([foreign, (await signInAlone(app.browser(), passkey, foreign)).status]).toEqual([foreign, 401]);
  });

  it('of a disabled account sign nobody in', async () => {
    const { person, passkey } = await givenPasskey();
    await app.rows('update users set is_active = false where id = $1', [person.id]);
    expect((await signInAlone(app.browser(), passkey)).body).toMatchObject({ code: 'account_disabled' });
  });

  it('a challenge is for one use and one browser', async () => {
    const { person, browser, accessToken, passkey } = await givenPasskey();
    const mine = await app.browser().withCsrf();
    const alone = (await mine.send('post', '/auth/passkeys/options').expect(200)).body as RequestOptions;
    const { options, verify } = await secondStep(app.browser(), person);
    const stepUp = (await bearer(browser, accessToken, 'post', '/auth/step-up/options').expect(200))
      .body as RequestOptions;
    const creation = (await bearer(browser, accessToken, 'post', '/auth/2fa/passkeys/options')).body as Creation;

    const tryAlone = (from: Browser, response: object) => from.send('post', '/auth/passkeys/verify').send({ response });
    for (const { challenge } of [options, stepUp, creation]) {
      expect((await tryAlone(mine, passkey.get({ challenge, rpId: 'localhost' }))).status).toBe(401);
    }
    for (const { challenge } of [alone, stepUp, creation])
      await verify(passkey.get({ challenge, rpId: 'localhost' })).expect(401);
    const other = await app.browser().withCsrf();
    expect((await tryAlone(other, passkey.get(alone))).status).toBe(401);
    expect((await tryAlone(mine, passkey.get(alone))).status).toBe(200);
  });

  it('alone must say whose it is', async () => {
    const { passkey } = await givenPasskey();
    const browser = await app.browser().withCsrf();
    const options = (await browser.send('post', '/auth/passkeys/options').expect(200)).body as RequestOptions;
    const { response, ...rest } = passkey.get(options);
    const { userHandle, ...anonymous } = response;
    expect(userHandle).toBeDefined();
    const send = (answer: object) =>
      browser.send('post', '/auth/passkeys/verify').send({ response: { ...rest, response: answer } });
    await send(anonymous).expect(401);
    await send(response).expect(200);
  });

  it('keep whether their owner’s other devices have them', async () => {
    const synced = { synced: false };
    const { person, passkey } = await givenPasskey(synced);
    const isBackedUp = async () =>
      (await app.rows<{ backed_up: boolean }>('select backed_up from passkeys where user_id = $1', [person.id]))[0]
        .backed_up;
    expect(await isBackedUp()).toBe(false);
    synced.synced = true;
    expect((await signInAlone(app.browser(), passkey)).status).toBe(200);
    expect(await isBackedUp()).toBe(true);
  });

  it('a challenge waits five minutes', async () => {
    const { passkey } = await givenPasskey();
    const [early, late] = [await app.browser().withCsrf(), await app.browser().withCsrf()];
    const options = async (browser: Browser) =>
      (await browser.send('post', '/auth/passkeys/options').expect(200)).body as RequestOptions;
    const [first, second] = [await options(early), await options(late)];
    app.advance(298);
    await early
      .send('post', '/auth/passkeys/verify')
      .send({ response: passkey.get(first) })
      .expect(200);
    app.advance(3);
    await late
      .send('post', '/auth/passkeys/verify')
      .send({ response: passkey.get(second) })
      .expect(401);
  });

  it('one challenge is good once, for twenty answers', async () => {
    const { person, passkey } = await givenPasskey();
    const browser = await app.browser().withCsrf();
    const options = (await browser.send('post', '/auth/passkeys/options').expect(200)).body as RequestOptions;
    const response = passkey.get(options);
    const answers = await app.whileLocked(
      'select from passkeys where user_id = $1 for update',
      [person.id],
      19, // and the one that holds the challenge
      () => Array.from({ length: 20 }, () => browser.copy().send('post', '/auth/passkeys/verify').send({ response })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(19).fill(401)]);
  });

  it('one that counts is refused when its count did not go on: somebody has a copy', async () => {
    const { passkey } = await givenPasskey({ counts: true });
    expect((await signInAlone(app.browser(), passkey)).status).toBe(200);
    expect((await signInAlone(app.browser(), passkey)).status).toBe(200);
    passkey.signCount = 0;
    expect((await signInAlone(app.browser(), passkey)).status).toBe(401);
  });

  it('another key, another user or a changed answer signs nobody in', async () => {
    const { person, passkey } = await givenPasskey();
    const other = await givenPasskey();
    expect((await signInAlone(app.browser(), new SoftPasskey(origin))).status).toBe(401);
    const { options, verify } = await secondStep(app.browser(), person);
    await verify(other.passkey.get(options)).expect(401);
    const good = passkey.get(options);
    for (const member of ['signature', 'authenticatorData', 'clientDataJSON'] as const) {
      const bytes = Buffer.from(good.response[member], 'base64url');
      bytes[bytes.length - 2] ^= 1;
      await verify({ ...good, response: { ...good.response, [member]: bytes.toString('base64url') } }).expect(401);
    }
    // Five answers were looked at, this one was right.
    await verify(good).expect(200);
  });

  it('a passkey that is known is made no second time, not for another user either', async () => {
    const { browser, accessToken, passkey } = await givenPasskey();
    const again = await add(browser, accessToken, passkey);
    expect([again.status, (again.body as { code: string }).code]).toEqual([422, 'validation_failed']);
    const stranger = await app.givenSignedIn();
    expect((await add(stranger.browser, stranger.accessToken, passkey)).status).toBe(422);
  });

  it('a creation is for the session that asked', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const options = (await bearer(browser, accessToken, 'post', '/auth/2fa/passkeys/options')).body as Creation;
    const passkey = new SoftPasskey(origin);
    const elsewhere = app.browser();
    const { body } = await elsewhere.login(person).expect(200);
    const there = (body as { access_token: string }).access_token;
    const response = passkey.create(options);
    await bearer(elsewhere, there, 'post', '/auth/2fa/passkeys').send({ response }).expect(422);
    await bearer(browser, accessToken, 'post', '/auth/2fa/passkeys')
      .send({ response: passkey.create(options, 'https://evil.test') })
      .expect(422);
    await bearer(browser, accessToken, 'post', '/auth/2fa/passkeys').send({ response }).expect(201);
    await bearer(browser, accessToken, 'post', '/auth/2fa/passkeys').send({ response }).expect(422);
  });

  it('are named, listed, renamed and taken away by their owner alone', async () => {
    const { person, browser, accessToken, passkey, added } = await givenPasskey({ synced: true });
    const list = async () =>
      ((await bearer(browser, accessToken, 'get', '/auth/2fa').expect(200)).body as { passkeys: object[] }).passkeys;
    expect(await list()).toEqual([
      expect.objectContaining({ id: added.id, name: 'Key', backed_up: true, last_used_at: null }),
    ]);
    await bearer(browser, accessToken, 'patch', `/auth/2fa/passkeys/${added.id}`).send({ name: 'Laptop' }).expect(204);
    expect(await list()).toEqual([expect.objectContaining({ name: 'Laptop' })]);
    await signInAlone(app.browser(), passkey);
    expect(await list()).toEqual([expect.objectContaining({ last_used_at: expect.any(String) as string })]);

    const other = await app.givenSignedIn();
    await bearer(other.browser, other.accessToken, 'patch', `/auth/2fa/passkeys/${added.id}`)
      .send({ name: 'Mine' })
      .expect(404);
    await bearer(other.browser, other.accessToken, 'delete', `/auth/2fa/passkeys/${added.id}`).expect(404);
    await bearer(browser, accessToken, 'delete', `/auth/2fa/passkeys/${added.id}`).expect(204);
    expect(await list()).toEqual([]);
    expect((await signInAlone(app.browser(), passkey)).status).toBe(401);
    expect((await app.browser().login(person).expect(200)).body).toHaveProperty('access_token');
    expect((await app.auditTypes(person.id)).filter((type) => type.startsWith('mfa.'))).toEqual([
      'mfa.passkey_added',
      'mfa.recovery_codes_made',
      'mfa.passkey_renamed',
      'mfa.passkey_removed',
    ]);
  });

  it.each([
    {},
    { response: 'x' },
    { response: { id: 'a', rawId: 'a', type: 'password', response: {} } },
    {
      response: {
        id: '../',
        rawId: 'a',
        type: 'public-key',
        response: { clientDataJSON: 'e30', authenticatorData: 'e30', signature: 'e30' },
      },
    },
    {
      response: {
        id: ['a'],
        rawId: 'a',
        type: 'public-key',
        response: { clientDataJSON: 'e30', authenticatorData: 'e30', signature: 'e30' },
      },
    },
    {
      response: {
        id: 'a',
        rawId: 'a',
        type: 'public-key',
        response: { clientDataJSON: 'x'.repeat(5000), authenticatorData: 'e30', signature: 'e30' },
      },
    },
  ])('an answer such as %j does not validate', async (body) => {
    const browser = await app.browser().withCsrf();
    await browser.send('post', '/auth/passkeys/verify').send(body).expect(422);
  });

  it.each(['e30', 'bnVsbA', 'W10', 'eyJjaGFsbGVuZ2UiOjF9', 'AAAA'])(
    'client data that is no client data is refused: %s',
    async (data) => {
      const { passkey } = await givenPasskey();
      const browser = await app.browser().withCsrf();
      const good = passkey.get({ challenge: 'AAAA', rpId: 'localhost' });
      const response = { ...good, response: { ...good.response, clientDataJSON: data } };
      const { body } = await browser.send('post', '/auth/passkeys/verify').send({ response }).expect(401);
      expect(body).toMatchObject({ code: 'mfa_invalid' });
    },
  );
});

import { signInResponse } from '../../src/auth/auth.schemas.js';
import { PASSWORD, TestApp } from '../support/test-app.js';

describe('POST /auth/register', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const ada = { username: 'ada', email: 'ada@example.com', password: PASSWORD };

  it('makes the account, signs in, and sets the cookies of a browser', async () => {
    const browser = app.browser();
    const { body, headers } = await browser.register(ada).expect(201);
    expect(signInResponse.parse(body).user).toMatchObject({
      username: 'ada',
      email: 'ada@example.com',
      roles: ['user'],
    });
    expect(body.refresh_token).toBeUndefined();
    expect(headers['cache-control']).toBe('no-store');
    expect(browser.jar.get('refresh_token')).toMatchObject({
      path: '/auth',
      attributes: expect.stringMatching(/HttpOnly.*SameSite=Lax/),
    });
    expect(browser.jar.get('device')!.attributes).toContain('HttpOnly');
    expect(browser.jar.get('XSRF-TOKEN')).toMatchObject({
      path: '/',
      attributes: expect.not.stringContaining('HttpOnly'),
    });
    await browser.refresh().expect(200);
  });

  it('ends the session that this browser had before, and takes over no device name', async () => {
    const { browser, person } = await app.givenSignedIn();
    const before = browser.copy();
    const { body } = await browser
      .register({ username: 'newcomer', email: 'newcomer@example.com', password: PASSWORD })
      .expect(201);
    expect((await before.refresh().expect(401)).body.code).toBe('token_revoked');
    await browser.refresh().expect(200);
    expect(browser.cookie('device')).not.toBe(before.cookie('device'));
    const [ended] = await app.rows(
      `select details, actor_id from audit_events where user_id = $1 and type = 'session.ended'`,
      [person.id],
    );
    expect(ended).toEqual({ details: { reason: 'replaced' }, actor_id: body.user.id });
  });

  it('stores the password as Argon2id with the configured cost, and no token at all', async () => {
    const person = await app.givenPerson();
    const [user] = await app.rows<{ password_hash: string }>('select password_hash from users where id = $1', [
      person.id,
    ]);
    expect(user.password_hash).toMatch(/^\$argon2id\$v=19\$(m=19456,t=2,p=1|m=19456,p=1,t=2)\$/);
    const browser = app.browser();
    await browser.login(person).expect(200);
    const dump = JSON.stringify(await app.rows("select s.*, encode(salt_hash, 'hex') from sessions s"));
    expect(dump).not.toContain(browser.cookie('refresh_token')!.slice(24, 60));
  });

  it.each([
    ['the same username', { username: 'ada', email: 'other@example.com' }, 'username_taken'],
    ['another spelling of it', { username: 'ＡＤＡ', email: 'other@example.com' }, 'username_taken'],
    ['the same e-mail address', { username: 'other', email: 'ada@example.com' }, 'email_taken'],
    ['another case of it', { username: 'other', email: 'ADA@Example.com' }, 'email_taken'],
  ])('refuses %s', async (_name, names, code) => {
    const { body } = await app
      .client()
      .register({ ...names, password: PASSWORD })
      .expect(409);
    expect(body.code).toBe(code);
    const [event] = await app.rows<{ details: object }>(
      `select details from audit_events where type = 'registration.refused' order by id desc limit 1`,
    );
    expect(event.details).toEqual({ reason: code, name_hash: expect.stringMatching(/^[\w-]{16}$/) });
  });

  it('makes one account of two that register one name at once', async () => {
    const person = { username: 'racer', email: 'racer@example.com', password: PASSWORD };
    const answers = await Promise.all([1, 2, 3, 4].map(async () => app.client().register(person)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
    expect(await app.rows(`select 1 from users where username_canonical = 'racer'`)).toHaveLength(1);
    expect(
      await app.rows(`select 1 from audit_events where type = 'registration.refused' and request_id = any($1)`, [
        answers.map(({ body }) => body.request_id as string),
      ]),
    ).toHaveLength(3);
    expect(
      await app.rows(`select 1 from sessions s join users u on u.id = s.user_id where u.username = 'racer'`),
    ).toHaveLength(1);
  });

  it('says why a password is too weak, and what would help', async () => {
    const { body } = await app
      .client()
      .register({ username: 'weak', email: 'weak@example.com', password: 'elevenchars' })
      .expect(422);
    expect(body).toMatchObject({ code: 'weak_password', detail: expect.stringContaining('at least 12 characters') });
  });

  it.each([
    ['20 lower-case letters', 'qhzvkxwpyrnmtbldgcfj'],
    ['64 code points of emoji', Array.from({ length: 64 }, (_, at) => String.fromCodePoint(0x1f300 + at * 7)).join('')],
    ['spaces at both ends', '  two ends of it  '],
  ])('takes a password of %s exactly as typed', async (_name, password) => {
    const person = await app.givenPerson({ password });
    await app.client().login(person).expect(200);
    await app
      .client()
      .login({ ...person, password: password.trim().slice(0, -2) })
      .expect(401);
  });

  it.each([
    ['decomposed', 'composed', 'NFD', 'NFC'],
    ['composed', 'decomposed', 'NFC', 'NFD'],
  ])(
    'takes a password that was typed %s when it is typed %s: one keyboard differs from another',
    async (_was, _is, first, second) => {
      const password = 'Čtyři žluté květiny';
      const person = await app.givenPerson({ password: password.normalize(first) });
      await app
        .client()
        .login({ ...person, password: password.normalize(second) })
        .expect(200);
    },
  );

  it('takes a form as well', async () => {
    const browser = await app.browser().withCsrf();
    await browser
      .send('post', '/auth/register')
      .type('form')
      .send({ username: 'former', email: 'former@example.com', password: PASSWORD })
      .expect(201);
  });

  it('records who, what, when and where', async () => {
    const { body, headers } = await app
      .client('TestAgent/1.0')
      .register({ username: 'audited', email: 'audited@example.com', password: PASSWORD })
      .set('X-Request-Id', 'my-request-0001')
      .expect(201);
    expect(headers['x-request-id']).toBe('my-request-0001');
    const [event] = await app.rows('select * from audit_events where user_id = $1', [body.user.id]);
    expect(event).toMatchObject({
      type: 'user.registered',
      outcome: 'success',
      actor_id: body.user.id,
      session_id: expect.any(String),
      ip: '127.0.0.1',
      user_agent: 'TestAgent/1.0',
      request_id: 'my-request-0001',
      occurred_at: expect.any(Date),
    });
  });
});

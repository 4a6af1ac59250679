import { TestApp } from '../support/test-app.js';

describe('CSRF', () => {
  let app: TestApp;
  beforeAll(
    async () =>
      (app = await TestApp.start({ CORS_ORIGINS: 'https://app.example.com', PUBLIC_URL: 'https://auth.example.com' })),
  );
  afterAll(() => app.stop());

  const routes = ['/auth/register', '/auth/login', '/auth/refresh', '/auth/logout'];

  it.each(routes)('POST %s is refused without a token, before anything happens', async (path) => {
    const { browser, person } = await app.givenSignedIn();
    const { body } = await browser.send('post', path).unset('X-CSRF-Token').send({}).expect(403);
    expect(body.code).toBe('csrf_failed');
    await browser.refresh().expect(200);
    const [event] = await app.rows<{ details: object }>(
      `select details from audit_events where type = 'access.refused' order by id desc limit 1`,
    );
    expect(event.details).toMatchObject({ code: 'csrf_failed', fault: 'missing', path });
    expect(person.id).toBeTruthy();
  });

  it('refuses a header that differs from the cookie, and a pair that is not ours', async () => {
    const { browser } = await app.givenSignedIn();
    const foreign = 'A'.repeat(64);
    await browser.refresh().set('X-CSRF-Token', foreign).expect(403);
    browser.jar.set('XSRF-TOKEN', { value: foreign, path: '/', attributes: '' });
    await browser.refresh().expect(403);
  });

  it('refuses a good token of another session, and one from before the sign-in', async () => {
    const { browser } = await app.givenSignedIn();
    const { browser: other } = await app.givenSignedIn();
    const anonymous = await app.browser().withCsrf();
    for (const planted of [other, anonymous]) {
      const victim = browser.copy();
      victim.jar.set('XSRF-TOKEN', planted.jar.get('XSRF-TOKEN')!);
      expect((await victim.refresh().expect(403)).body.code).toBe('csrf_failed');
    }
    await browser.refresh().expect(200);
  });

  it.each([
    ['a foreign origin', { Origin: 'https://evil.example' }],
    ['a null origin', { Origin: 'null' }],
    ['a sibling host', { Origin: 'https://evil.auth.example.com' }],
    ['a cross-site fetch', { 'Sec-Fetch-Site': 'cross-site' }],
    [
      'a cross-site fetch that names our origin',
      { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://auth.example.com' },
    ],
  ])('refuses %s even with the right token', async (_name, headers) => {
    const { browser } = await app.givenSignedIn();
    expect((await browser.refresh().set(headers).expect(403)).body.code).toBe('csrf_failed');
  });

  it.each([
    ['our own origin', { Origin: 'https://auth.example.com', 'Sec-Fetch-Site': 'same-origin' }],
    ['a listed one', { Origin: 'https://app.example.com', 'Sec-Fetch-Site': 'cross-site' }],
  ])('takes %s', async (_name, headers) => {
    const { browser } = await app.givenSignedIn();
    await browser.refresh().set(headers).expect(200);
  });

  it('keeps a good token, so that two tabs agree', async () => {
    const { browser } = await app.givenSignedIn();
    const token = browser.cookie('XSRF-TOKEN');
    expect((await browser.send('get', '/auth/csrf').expect(200)).body.csrf_token).toBe(token);
    await browser.logout().expect(200);
    expect((await browser.send('get', '/auth/csrf').expect(200)).body.csrf_token).not.toBe(token);
  });

  it('refuses an OAuth2 password form from a foreign page', async () => {
    const form = { grant_type: 'password', username: 'nobody-here', password: 'x' };
    const send = (headers: object) =>
      app
        .browser()
        .send('post', '/auth/login')
        .type('form')
        .set(headers as Record<string, string>)
        .send(form);
    await send({ Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }).expect(403);
    await send({}).expect(401);
  });

  it('takes no page of http on its own host, where cookies are Secure', async () => {
    const { browser } = await app.givenSignedIn();
    const { host } = new URL(app.url);
    expect((await browser.refresh().set('Origin', `http://${host}`).expect(403)).body.code).toBe('csrf_failed');
    await browser.refresh().set('Origin', `https://${host}`).expect(200);
  });

  it('reads and sets no cookie for a token under the body transport', async () => {
    const { browser } = await app.givenSignedIn();
    const held = browser.cookie('XSRF-TOKEN');
    const { body, headers } = await browser.send('get', '/auth/csrf').set('X-Auth-Transport', 'body').expect(200);
    expect(headers['set-cookie']).toBeUndefined();
    expect(body.csrf_token).not.toBe(held);
    browser.jar.set('XSRF-TOKEN', { value: body.csrf_token, path: '/', attributes: '' });
    await browser.refresh().expect(403);
  });

  it('asks nothing of a bearer token', async () => {
    const { person, accessToken, browser } = await app.givenSignedIn();
    await browser
      .send('post', '/auth/change-password')
      .unset('X-CSRF-Token')
      .set('Authorization', `Bearer ${accessToken}`)
      .send({ current_password: person.password, new_password: 'another-long-password' })
      .expect(200);
  });
});

describe('CSRF where PUBLIC_URL is http', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ COOKIE_SECURE: 'true', PUBLIC_URL: 'http://localhost:3000' })));
  afterAll(() => app.stop());

  it('takes pages of http on its own host, Secure cookies or not', async () => {
    const { browser } = await app.givenSignedIn();
    for (const origin of ['http://localhost:3000', app.url]) await browser.refresh().set('Origin', origin).expect(200);
  });
});

describe('CSRF with ACCESS_TOKEN_COOKIE', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ ACCESS_TOKEN_COOKIE: 'true' })));
  afterAll(() => app.stop());

  const unlock = (browser: ReturnType<TestApp['browser']>) =>
    browser.send('post', '/admin/users/019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10/unlock');

  it('outside /auth takes the token of the access cookie’s session, and no other', async () => {
    const { browser } = await app.givenSignedIn();
    const { browser: other } = await app.givenSignedIn();
    expect((await unlock(browser).expect(403)).body.code).toBe('forbidden');
    expect((await unlock(browser).unset('X-CSRF-Token').expect(403)).body.code).toBe('csrf_failed');
    browser.jar.set('XSRF-TOKEN', other.jar.get('XSRF-TOKEN')!);
    expect((await unlock(browser).expect(403)).body.code).toBe('csrf_failed');
  });

  it('refuses a refresh cookie and an access cookie of two sessions', async () => {
    const { browser } = await app.givenSignedIn();
    const { browser: attacker } = await app.givenSignedIn();
    const planted = browser.copy();
    planted.jar.set('access_token', attacker.jar.get('access_token')!);
    expect((await planted.refresh().expect(403)).body.code).toBe('csrf_failed');
    await browser.refresh().expect(200);
  });
});

describe('a foreign page', () => {
  let app: TestApp;
  beforeAll(
    async () =>
      (app = await TestApp.start({ THROTTLE_LOGIN: '3/60', THROTTLE_REFRESH: '2/60', THROTTLE_DEFAULT: '30/60' })),
  );
  afterAll(() => app.stop());

  const foreign = [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }] as Record<string, string>[];
  const form = { grant_type: 'password', username: 'nobody-here', password: 'x' };

  it('uses up neither the sign-ins nor the refreshes of its visitor', async () => {
    const { browser, person } = await app.givenSignedIn();
    for (const headers of foreign) {
      for (let time = 0; time < 3; time++) {
        await browser.copy().refresh().set(headers).expect(403);
        await browser.copy().send('post', '/auth/login').type('form').set(headers).send(form).expect(403);
      }
    }
    const { headers } = await app.client().login(person).expect(200);
    expect(headers['ratelimit-limit']).toBe('3');
    await browser.refresh().expect(200);
  });

  it('is counted all the same, under the default limit', async () => {
    const send = () => app.browser().refresh().set(foreign[0]);
    let status = 403;
    for (let time = 0; time < 31 && status === 403; time++) ({ status } = await send());
    expect(status).toBe(429);
  });

  it('is not what a client without cookies says it is: its sign-ins count as such', async () => {
    app.advance(61);
    const send = () => app.client().login({ username: 'nobody-here', password: 'x' }).set(foreign[0]);
    for (let time = 0; time < 3; time++) await send().expect(401);
    await send().expect(429);
  });
});

describe('CORS', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ CORS_ORIGINS: 'https://app.example.com' })));
  afterAll(() => app.stop());

  it('answers listed origins with credentials, and others without permission', async () => {
    const listed = await app
      .browser()
      .send('options', '/auth/refresh')
      .set({ Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'POST' });
    expect(listed.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-credentials': 'true',
    });
    const other = await app
      .browser()
      .send('options', '/auth/refresh')
      .set({ Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' });
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
  });
});

import { routesOf } from '../support/routes.js';
import { PASSWORD, TestApp } from '../support/test-app.js';

/** The routes that take the token, each in its body alone. */
const ITS_OWN = [
  '/auth/2fa/verify',
  '/auth/2fa/options',
  '/auth/2fa/enrollment/totp',
  '/auth/2fa/enrollment/totp/confirm',
];
/** What anybody gets, whoever they are. */
const ANSWERS_ANYBODY = [
  '/.well-known/jwks.json',
  '/.well-known/oauth-authorization-server',
  '/auth/csrf',
  '/health/live',
  '/health/ready',
  '/metrics',
  '/problems/:code',
];

/** A token that asks for a second factor. */
async function givenVerifyToken(app: TestApp) {
  const { person } = await app.givenTotp();
  const { body } = await app.client().login(person).expect(200);
  return { id: person.id, token: (body as { mfa_token: string }).mfa_token };
}

/** One that asks for the first one to be set up. */
async function givenEnrollToken(app: TestApp) {
  const person = { username: 'ada', email: 'ada@example.com', password: PASSWORD };
  const { body } = await app.client().register(person).expect(201);
  const [{ id }] = await app.rows<{ id: string }>("select id from users where username = 'ada'");
  return { id, token: (body as { mfa_token: string }).mfa_token };
}

describe.each([
  ['to verify', {}, givenVerifyToken, '/auth/2fa/verify'],
  ['to enroll', { REQUIRE_MFA: 'all' }, givenEnrollToken, '/auth/2fa/enrollment/totp/confirm'],
])('a half-way token %s', (_, env, givenToken, itsOwn) => {
  let app: TestApp;
  let person: { id: string };
  let token: string;
  let csrf: string;
  let sessions: number;
  beforeAll(async () => {
    app = await TestApp.start({ ...env, ACCESS_TOKEN_COOKIE: 'true' });
    const given = await givenToken(app);
    [person, token] = [given, given.token];
    csrf = (await app.browser().withCsrf()).cookie('XSRF-TOKEN')!;
    sessions = await countSessions();
  });
  afterAll(() => app.stop());

  const countSessions = async () => (await app.rows('select 1 from sessions where user_id = $1', [person.id])).length;

  it('signs nobody in, at any route, wherever it is put', async () => {
    const all = routesOf(app);
    expect(all.length).toBeGreaterThan(35);
    for (const { method, path } of all) {
      const url = path.replace(':id', person.id).replace(':code', 'forbidden').replace(':name', 'user');
      const send = () => app.client().send(method, url);
      const tries = [
        send().set('Authorization', `Bearer ${token}`),
        send().set('Authorization', `Basic ${Buffer.from(`${person.id}:${token}`).toString('base64')}`),
        // With a good CSRF token, so that the cookies are looked at.
        send()
          .set('X-Auth-Transport', 'cookie')
          .set('X-CSRF-Token', csrf)
          .set('Cookie', `XSRF-TOKEN=${csrf}; access_token=${token}; refresh_token=${token}; device=${token}`),
        ...(method === 'get' || ITS_OWN.includes(path)
          ? []
          : [
              send().send({ refresh_token: token }),
              send().send({ token }),
              send().send({ code: token, password: token }),
            ]),
      ];
      for (const attempt of tries) {
        const { status, body, headers } = await attempt;
        const where = `${method} ${path} → ${status} ${JSON.stringify(body).slice(0, 120)}`;
        expect([where, status < 500]).toEqual([where, true]);
        expect([where, JSON.stringify(body).includes('access_token')]).toEqual([where, false]);
        expect([where, String(headers['set-cookie'] ?? '')]).toEqual([
          where,
          expect.not.stringMatching(/(refresh_token|access_token)=[^;]/) as string,
        ]);
        if (status < 400) expect([where, isOpen(path)]).toEqual([where, true]);
      }
    }
    expect(await countSessions()).toBe(sessions);
  });

  it('is not active for a service that asks', async () => {
    const { authorization } = await app.givenClient();
    const ask = app.client().send('post', '/oauth/introspect').set('Authorization', authorization).type('form');
    expect((await ask.send({ token }).expect(200)).body).toEqual({ active: false });
  });

  it('is still good where it belongs, after all that', async () => {
    const { status } = await app.client().send('post', itsOwn).send({ mfa_token: token, code: '000000' });
    expect(status).toBe(401);
    const [{ attempts }] = await app.rows<{ attempts: number }>(
      'select max(attempts) as attempts from half_way_sign_ins where user_id = $1',
      [person.id],
    );
    expect(attempts).toBe(1);
  });

  /** `logout` is never an error, and a passkey's challenge is anybody's; neither gives anything. */
  const isOpen = (path: string): boolean =>
    [...ANSWERS_ANYBODY, '/auth/logout', '/auth/passkeys/options'].includes(path);
});

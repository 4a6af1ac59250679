import request from 'supertest';

import { claimsOf, form, givenToken, oauthPost } from '../support/oauth-caller.js';
import { type GivenClient, JWT_SECRET, TestApp } from '../support/test-app.js';
import { SignJWT } from 'jose';

const INVOICES = 'https://invoices.example.com';
const INACTIVE = { active: false };

describe('POST /oauth/introspect', () => {
  let app: TestApp;
  /** The resource server of users’ tokens, that of invoices, and a client of the latter. */
  let users: GivenClient;
  let invoices: GivenClient;
  let billing: GivenClient;
  beforeAll(async () => {
    app = await TestApp.start();
    users = await app.givenClient();
    invoices = await app.givenClient({ served_audiences: [INVOICES] });
    billing = await app.givenClient({ scopes: ['invoices:read'], audiences: [INVOICES], served_audiences: [] });
  });
  afterAll(() => app.stop());

  const introspect = (token: string, by = users) =>
    oauthPost(app, 'introspect', form({ token, token_type_hint: 'access_token' }), by.authorization).expect(200);
  const told = async (token: string, by?: GivenClient) => (await introspect(token, by)).body as object;

  it('tells the claims of a token that counts, and nothing of any other', async () => {
    const { person, browser, accessToken } = await app.givenSignedIn();
    const { body, headers } = await introspect(accessToken);
    expect(body).toEqual({ active: true, token_type: 'Bearer', ...claimsOf(accessToken) });
    expect(body.sub).toBe(person.id);
    expect(headers['cache-control']).toBe('no-store');
    await browser.logout().expect(200);
    for (const token of [accessToken, 'x', `${accessToken}=`, 'a.b.c', 'x'.repeat(8000)])
      expect(await told(token)).toEqual(INACTIVE);
  });

  it('tells a service’s token to whom it is for and to the client that got it, and to nobody else', async () => {
    const token = await givenToken(app, billing);
    const claims = { active: true, token_type: 'Bearer', ...claimsOf(token) };
    expect(claims).toMatchObject({ client_id: billing.clientId, scope: 'invoices:read', aud: INVOICES });
    expect(await told(token, invoices)).toEqual(claims);
    expect(await told(token, billing)).toEqual(claims);
    expect(await told(token, users)).toEqual(INACTIVE);
    const { accessToken } = await app.givenSignedIn();
    for (const other of [invoices, billing]) expect(await told(accessToken, other)).toEqual(INACTIVE);
  });

  it('knows a disabled account, a changed role and a password that must be changed', async () => {
    const { person, accessToken } = await app.givenSignedIn();
    await app.revoke({ tokensOf: person.id }, 'roles_changed');
    expect(await told(accessToken)).toEqual(INACTIVE);
    const { body } = await app.client().login(person).expect(200);
    await app.rows('update users set is_active = false where id = $1', [person.id]);
    expect(await told(body.access_token)).toEqual(INACTIVE);
    await app.rows('update users set is_active = true, must_change_password = true where id = $1', [person.id]);
    const mustChange = await app.client().login(person).expect(200);
    expect(await told(mustChange.body.access_token)).toEqual(INACTIVE);
  });

  it('knows an expired token, one of half a sign-in, and those of a client that was disabled or changed', async () => {
    const { person } = await app.givenTotp();
    const half = await app.client().login(person).expect(200);
    expect(await told(half.body.mfa_token)).toEqual(INACTIVE);

    const admin = await app.givenAdmin();
    const client = await app.givenClient({ scopes: ['a', 'b'], audiences: [INVOICES] });
    const before = await givenToken(app, client);
    await admin
      .patch(`/admin/clients/${client.clientId}`)
      .send({ scopes: ['a'] })
      .expect(200);
    expect(await told(before, invoices)).toEqual(INACTIVE);
    const after = await givenToken(app, client);
    expect(await told(after, invoices)).toMatchObject({ active: true, scope: 'a' });
    await admin.delete(`/admin/clients/${client.clientId}`).expect(204);
    expect(await told(after, invoices)).toEqual(INACTIVE);

    const short = await givenToken(app, billing);
    app.advance(901);
    expect(await told(short, invoices)).toEqual(INACTIVE);
  });

  it('believes no token that somebody else signed, and stumbles over none that a holder of the shared key did', async () => {
    const token = await givenToken(app, billing);
    const header = JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString());
    const sign = (claims: object, secret = JWT_SECRET) =>
      new SignJWT({ ...claimsOf(token), ...claims }).setProtectedHeader(header).sign(Buffer.from(secret));
    expect(await told(await sign({}), invoices)).toMatchObject({ active: true });
    expect(await told(await sign({}, `${JWT_SECRET}x`), invoices)).toEqual(INACTIVE);
    for (const claims of [
      { client_id: 'x', sub: 'x' },
      { jti: 'a\0b' },
      { iss: 'https://elsewhere.example.com' },
      { aud: [INVOICES] },
    ])
      expect(await told(await sign(claims), invoices)).toEqual(INACTIVE);
    expect(app.log).not.toContain('"level":"error"');
  });

  it('answers mistakes in OAuth’s own shape', async () => {
    const refused = await oauthPost(app, 'introspect', 'token=x').expect(401);
    expect(refused.body).toEqual({ error: 'invalid_client', error_description: expect.any(String) });
    expect(refused.headers['www-authenticate']).toMatch(/^Basic /);
    for (const body of ['', 'token=', 'token=a&token=b', 'token[]=a', 'token=a&a=1&a=2', `token=${'x'.repeat(9000)}`]) {
      const answer = await oauthPost(app, 'introspect', body, users.authorization);
      expect([body.slice(0, 20), answer.status, answer.body.error]).toEqual([
        body.slice(0, 20),
        400,
        'invalid_request',
      ]);
    }
    for (const token of [[], 'x']) {
      const json = await request(app.url)
        .post('/oauth/introspect')
        .set('Authorization', users.authorization)
        .send({ token });
      expect([json.status, json.body.error]).toEqual([400, 'invalid_request']);
    }
    await oauthPost(app, 'introspect?token=x', 'token=x', users.authorization).expect(400);
    const large = await oauthPost(app, 'introspect', `token=${'x'.repeat(1_000_000)}`, users.authorization);
    expect([large.status, large.body.error]).toEqual([413, 'invalid_request']);
    await request(app.url).get('/oauth/introspect?token=x').set('Authorization', users.authorization).expect(405);
  });
});

import request from 'supertest';

import { createVerifier } from '#verifier';

import {
  askToken,
  assertion,
  carrying,
  claimsOf,
  form,
  givenToken,
  newPair,
  oauthPost,
} from '../support/oauth-caller.js';
import { type GivenClient, JWT_SECRET, TestApp } from '../support/test-app.js';

const INVOICES = 'https://invoices.example.com';
const STOCK = 'https://stock.example.com';

describe('POST /oauth/token', () => {
  let app: TestApp;
  let client: GivenClient;
  beforeAll(async () => {
    app = await TestApp.start();
    client = await app.givenClient({ scopes: ['invoices:read', 'invoices:write'], audiences: [INVOICES, STOCK] });
  });
  afterAll(() => app.stop());

  const refused = async (members: Record<string, string>, by = client) => {
    const { status, body } = await askToken(app, by, members);
    return [status, (body as { error: string }).error];
  };

  it('gives a token that says whom it is of and for, and has no user and no session', async () => {
    const { body, headers } = await askToken(app, client).expect(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'invoices:read invoices:write',
    });
    expect(headers['cache-control']).toBe('no-store');
    const [head] = body.access_token.split('.');
    expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toMatchObject({ typ: 'at+jwt', alg: 'HS256' });
    const { iat } = claimsOf(body.access_token);
    expect(claimsOf(body.access_token)).toEqual({
      iss: app.config.tokens.issuer,
      aud: INVOICES,
      sub: client.clientId,
      client_id: client.clientId,
      iat,
      exp: (iat as number) + 900,
      jti: expect.any(String),
      scope: 'invoices:read invoices:write',
    });
    const [row] = await app.rows<{ details: object; client_id: string }>(
      `select client_id, details from audit_events where type = 'client.token_issued' and details->>'jti' = $1`,
      [claimsOf(body.access_token).jti],
    );
    expect(row).toMatchObject({
      client_id: client.clientId,
      details: { audience: INVOICES, method: 'client_secret_basic', scope: 'invoices:read invoices:write' },
    });
    expect(app.log).not.toContain(body.access_token);
    expect(app.log).not.toContain(client.clientSecret);
  });

  it('verifies at the service that it is for, and at no other', async () => {
    const token = await givenToken(app, client, { audience: STOCK, scope: 'invoices:read' });
    const verifierOf = (audience: string) =>
      createVerifier({ issuer: app.config.tokens.issuer, audience, keys: [{ alg: 'HS256', secret: JWT_SECRET }] });
    expect((await verifierOf(STOCK).verify(token)).scope).toBe('invoices:read');
    await expect(verifierOf(INVOICES).verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
  });

  it('opens no route of users, not even with the audience of users and the name of a permission', async () => {
    const like = await app.givenClient({ scopes: ['users:read'], audiences: [app.config.tokens.audience] });
    const token = await givenToken(app, like);
    for (const path of ['/auth/me', '/auth/sessions', '/admin/users']) {
      const { body } = await request(app.url).get(path).set('Authorization', `Bearer ${token}`).expect(401);
      expect([path, body.code]).toEqual([path, 'token_invalid']);
    }
    await request(app.url).get('/revocations').set('Authorization', `Bearer ${token}`).expect(401);
  });

  it('gives what was asked for, never more than the client has', async () => {
    const scopeOf = async (scope: string) => claimsOf(await givenToken(app, client, { scope })).scope;
    expect(await scopeOf('invoices:write')).toBe('invoices:write');
    expect(await scopeOf('invoices:write invoices:read invoices:write')).toBe('invoices:read invoices:write');
    for (const scope of [
      'admin',
      'invoices:read admin',
      'INVOICES:READ',
      'invoices:read  invoices:write',
      ' ',
      '"',
      'é',
    ])
      expect([scope, await refused({ scope })]).toEqual([scope, [400, 'invalid_scope']]);
    expect((await askToken(app, client, { scope: '' }).expect(200)).body.scope).toBe('invoices:read invoices:write');
    const bare = await app.givenClient({ audiences: [STOCK] });
    expect((await askToken(app, bare).expect(200)).body).not.toHaveProperty('scope');
    expect(await refused({ scope: 'invoices:read' }, bare)).toEqual([400, 'invalid_scope']);
  });

  it('is for one audience, of the client’s own', async () => {
    const audienceOf = async (members: Record<string, string>) => claimsOf(await givenToken(app, client, members)).aud;
    expect(await audienceOf({})).toBe(INVOICES);
    expect(await audienceOf({ audience: STOCK })).toBe(STOCK);
    expect(await audienceOf({ resource: STOCK })).toBe(STOCK);
    for (const audience of ['https://other.example.com', 'latchkey', `${STOCK}/`, `${STOCK} ${INVOICES}`])
      expect(await refused({ audience })).toEqual([400, 'invalid_target']);
    expect(await refused({ audience: STOCK, resource: INVOICES })).toEqual([400, 'invalid_target']);
    expect(await refused({}, await app.givenClient())).toEqual([400, 'unauthorized_client']);
    const rows = await app.rows<{ error: string }>(
      `select distinct details->>'error' as error from audit_events where type = 'client.token_refused'`,
    );
    expect(rows.map(({ error }) => error).toSorted()).toEqual([
      'invalid_scope',
      'invalid_target',
      'unauthorized_client',
    ]);
  });

  it('says nothing that was taken away while it was made', async () => {
    const pair = newPair();
    const { clientId } = await app.givenClient({ scopes: ['pay:all'], audiences: [STOCK], jwks: pair.jwks });
    const admin = await app.givenAdmin();
    const body = form({ grant_type: 'client_credentials', ...carrying(await assertion(app, clientId, pair)) });
    // Held where the client has been read, and its token is not made yet.
    const [{ body: answer }] = await app.whileLocked(
      'lock table spent_assertions',
      [],
      1,
      () => [
        oauthPost(app, 'token', body)
          .expect(200)
          .then((given) => given),
      ],
      async () => {
        await admin.patch(`/admin/clients/${clientId}`).send({ scopes: [] }).expect(200);
        app.advance(3);
      },
    );
    const token = (answer as { access_token: string }).access_token;
    const { authorization } = await app.givenClient({ served_audiences: [STOCK] });
    const said = await oauthPost(app, 'introspect', form({ token }), authorization).expect(200);
    expect(said.body).toEqual({ active: false });
  });

  it.each([
    ['password', 400, 'unsupported_grant_type'],
    ['authorization_code', 400, 'unsupported_grant_type'],
    ['refresh_token', 400, 'unsupported_grant_type'],
    ['urn:ietf:params:oauth:grant-type:token-exchange', 400, 'unsupported_grant_type'],
    ['Client_Credentials', 400, 'unsupported_grant_type'],
    ['', 400, 'invalid_request'],
  ])('grant_type %j', async (grant_type, status, error) => {
    expect(await refused({ grant_type })).toEqual([status, error]);
  });

  it.each([
    ['no body', ''],
    ['a parameter twice', 'grant_type=client_credentials&grant_type=client_credentials'],
    ['two scopes', 'grant_type=client_credentials&scope=a&scope=b'],
    ['two audiences', 'grant_type=client_credentials&audience=a&audience=b'],
    ['an array', 'grant_type[]=client_credentials'],
    ['a NUL', 'grant_type=client_credentials&scope=%00'],
    ['two ways at once', 'grant_type=client_credentials&client_id=x&client_secret=y'],
    ['another client_id', 'grant_type=client_credentials&client_id=x'],
    ['an unknown assertion type', 'grant_type=client_credentials&client_assertion=a.b.c&client_assertion_type=saml'],
  ])('%s', async (_name, body) => {
    const { status, body: answer, headers } = await oauthPost(app, 'token', body, client.authorization);
    expect([status, answer]).toEqual([400, { error: 'invalid_request', error_description: expect.any(String) }]);
    expect(answer.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(headers['cache-control']).toBe('no-store');
  });

  it('takes neither JSON nor the query, and ignores what it does not know', async () => {
    const call = () => request(app.url).post('/oauth/token').set('Authorization', client.authorization);
    expect((await call().send({ grant_type: 'client_credentials' }).expect(400)).body.error).toBe('invalid_request');
    const inQuery = request(app.url).post('/oauth/token?grant_type=client_credentials');
    expect(
      (await inQuery.type('form').set('Authorization', client.authorization).send('a=b').expect(400)).body.error,
    ).toBe('invalid_request');
    const jsonCredentials = {
      grant_type: 'client_credentials',
      client_id: client.clientId,
      client_secret: client.clientSecret,
    };
    expect((await request(app.url).post('/oauth/token').send(jsonCredentials).expect(401)).body.error).toBe(
      'invalid_client',
    );
    await askToken(app, client, { nonce: 'x', claims: '{}' }).expect(200);
    await request(app.url).get('/oauth/token').set('Authorization', client.authorization).expect(405);
    const large = await oauthPost(app, 'token', form({ grant_type: 'x'.repeat(1_000_000) }), client.authorization);
    expect([large.status, large.body.error]).toEqual([413, 'invalid_request']);
    const { status, body } = await call().type('json').send('{"grant_type":');
    expect([status, body]).toEqual([400, { error: 'invalid_request', error_description: expect.any(String) }]);
    expect((await call().type('text/plain').send('x').expect(400)).body.error).toBe('invalid_request');
    expect(app.log).not.toContain('"level":"error"');
  });
});

import { type webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';

import { freePort } from '../support/free-port.js';
import { newPair } from '../support/oauth-caller.js';
import { temporaryFolders } from '../support/temporary-folders.js';
import { type GivenClient, TestApp } from '../support/test-app.js';

const INVOICES = 'https://invoices.example.com';
const newFolder = temporaryFolders();
/* eslint-disable @typescript-eslint/no-deprecated -- marked so to make them stand out: the test speaks http */
const INSECURE = { [oauth.allowInsecureRequests]: true };
const OPTIONS = { execute: [openid.allowInsecureRequests], algorithm: 'oauth2' as const };
/* eslint-enable @typescript-eslint/no-deprecated */

/** Clients that others wrote, which find everything by the metadata alone. */
describe('real OAuth clients', () => {
  let app: TestApp;
  let bySecret: GivenClient;
  let byKey: GivenClient;
  let invoices: GivenClient;
  let key: webcrypto.CryptoKey;
  let issuer: URL;
  beforeAll(async () => {
    const port = await freePort();
    const keys = path.join(newFolder(), 'keys.json');
    const signing = newPair('ES256').privateKey.export({ format: 'jwk' });
    writeFileSync(keys, JSON.stringify({ keys: [{ ...signing, kid: 'one' }] }));
    app = await TestApp.start({
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      JWT_ALG: 'ES256',
      JWT_KEYS_FILE: keys,
    });
    issuer = new URL(app.config.tokens.issuer);
    const pair = newPair('ES256');
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    key = await crypto.subtle.importKey('jwk', pair.privateKey.export({ format: 'jwk' }) as never, algorithm, false, [
      'sign',
    ]);
    const grants = { scopes: ['invoices:read', 'invoices:write'], audiences: [INVOICES] };
    bySecret = await app.givenClient(grants);
    byKey = await app.givenClient({ ...grants, jwks: pair.jwks });
    invoices = await app.givenClient({ served_audiences: [INVOICES] });
  });
  afterAll(() => app.stop());

  const ways: [string, () => GivenClient, () => oauth.ClientAuth, () => openid.ClientAuth][] = [
    [
      'client_secret_basic',
      () => bySecret,
      () => oauth.ClientSecretBasic(bySecret.clientSecret),
      () => openid.ClientSecretBasic(bySecret.clientSecret),
    ],
    [
      'client_secret_post',
      () => bySecret,
      () => oauth.ClientSecretPost(bySecret.clientSecret),
      () => openid.ClientSecretPost(bySecret.clientSecret),
    ],
    ['private_key_jwt', () => byKey, () => oauth.PrivateKeyJwt(key), () => openid.PrivateKeyJwt(key)],
  ];

  describe.each(ways)('%s', (method, given, oauthAuth, openidAuth) => {
    it('oauth4webapi: discovery, token, JWKS, introspection, revocation', async () => {
      const client = { client_id: given().clientId };
      const as = await oauth.processDiscoveryResponse(
        issuer,
        await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }),
      );
      expect(as.token_endpoint_auth_methods_supported).toContain(method);

      const asked = { scope: 'invoices:read', audience: INVOICES };
      const granted = await oauth.processClientCredentialsResponse(
        as,
        client,
        await oauth.clientCredentialsGrantRequest(as, client, oauthAuth(), asked, INSECURE),
      );
      expect(granted).toMatchObject({ token_type: 'bearer', expires_in: 900, scope: 'invoices:read' });

      const request = new Request(INVOICES, { headers: { authorization: `Bearer ${granted.access_token}` } });
      const claims = await oauth.validateJwtAccessToken(as, request, INVOICES, INSECURE);
      expect(claims).toMatchObject({ sub: client.client_id, client_id: client.client_id, scope: 'invoices:read' });

      const introspect = async (who: oauth.Client, auth: oauth.ClientAuth) =>
        oauth.processIntrospectionResponse(
          as,
          who,
          await oauth.introspectionRequest(as, who, auth, granted.access_token, INSECURE),
        );
      const server = { client_id: invoices.clientId };
      expect(await introspect(client, oauthAuth())).toMatchObject({ active: true, jti: claims.jti });
      expect(await introspect(server, oauth.ClientSecretBasic(invoices.clientSecret))).toMatchObject({ active: true });

      const revoked = await oauth.revocationRequest(as, client, oauthAuth(), granted.access_token, INSECURE);
      expect(await oauth.processRevocationResponse(revoked)).toBeUndefined();
      expect(await introspect(client, oauthAuth())).toEqual({ active: false });
    });

    it('openid-client: discovery, token, introspection, revocation', async () => {
      const config = await openid.discovery(issuer, given().clientId, undefined, openidAuth(), OPTIONS);
      const { access_token, scope } = await openid.clientCredentialsGrant(config, { resource: INVOICES });
      expect(scope).toBe('invoices:read invoices:write');
      expect(await openid.tokenIntrospection(config, access_token)).toMatchObject({ active: true, aud: INVOICES });
      await openid.tokenRevocation(config, access_token);
      expect(await openid.tokenIntrospection(config, access_token)).toEqual({ active: false });
    });
  });

  it('read why they are refused', async () => {
    const secret = bySecret.clientSecret;
    const config = await openid.discovery(
      issuer,
      bySecret.clientId,
      undefined,
      openid.ClientSecretPost(secret),
      OPTIONS,
    );
    await expect(openid.clientCredentialsGrant(config, { scope: 'admin' })).rejects.toMatchObject({
      error: 'invalid_scope',
      status: 400,
    });
    await expect(
      openid.clientCredentialsGrant(config, { resource: 'https://other.example.com' }),
    ).rejects.toMatchObject({
      error: 'invalid_target',
    });
    const wrong = await openid.discovery(issuer, bySecret.clientId, undefined, openid.ClientSecretPost('x'), OPTIONS);
    await expect(openid.clientCredentialsGrant(wrong)).rejects.toMatchObject({ status: 401 });
  });

  it('may keep the metadata, which names this service’s own URLs', async () => {
    const response = await fetch(`${app.url}/.well-known/oauth-authorization-server`);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const metadata = (await response.json()) as Record<string, unknown>;
    expect(metadata).toMatchObject({
      issuer: app.url,
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
    });
    expect(metadata).not.toHaveProperty('scopes_supported');
    for (const [name, value] of Object.entries(metadata))
      if (/_(endpoint|uri)$/.test(name)) expect(String(value).startsWith(`${app.url}/`)).toBe(true);
  });
});

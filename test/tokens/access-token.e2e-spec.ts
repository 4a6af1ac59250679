import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

import { jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';

import { JWT_SECRET, TestApp } from '../support/test-app.js';

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('access tokens', () => {
  let app: TestApp;
  let token: string;
  let header: Record<string, unknown>;
  let claims: Record<string, unknown>;
  beforeAll(async () => {
    app = await TestApp.start();
    token = (await app.givenSignedIn()).accessToken;
    [header, claims] = token
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  });
  afterAll(() => app.stop());

  it('has exactly the documented header and claims', () => {
    expect(header).toEqual({ typ: 'at+jwt', alg: 'HS256', kid: expect.any(String) });
    expect(claims).toEqual({
      iss: app.config.tokens.issuer,
      aud: 'latchkey',
      sub: expect.any(String),
      iat: expect.any(Number),
      exp: (claims.iat as number) + 900,
      jti: expect.any(String),
      sid: expect.any(String),
      username: expect.any(String),
      roles: ['user'],
      permissions: [],
      scope: '',
      amr: ['pwd'],
      auth_time: expect.any(Number),
    });
  });

  it('is believed by another service that shares the key, with jose and with jsonwebtoken', async () => {
    const key = new TextEncoder().encode(JWT_SECRET);
    const { payload } = await jwtVerify(token, key, {
      issuer: app.config.tokens.issuer,
      audience: 'latchkey',
      typ: 'at+jwt',
      algorithms: ['HS256'],
    });
    expect(payload.sub).toBe(claims.sub);
    expect(jsonwebtoken.verify(token, JWT_SECRET, { algorithms: ['HS256'], audience: 'latchkey' })).toMatchObject({
      sub: claims.sub,
    });
  });

  it('is accepted by the service itself', async () => {
    await app.client().me(token).expect(200);
    await app.client().me(hs256(header, claims)).expect(200);
  });

  const now = Math.floor(Date.now() / 1000);
  const without = (name: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
  const odd: [string, () => string][] = [
    ['alg none', () => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`],
    ['alg nOnE with a signature', () => hs256({ ...header, alg: 'nOnE' }, claims)],
    [
      'alg none with the signature kept',
      () => `${encode({ ...header, alg: 'none' })}.${token.split('.')[1]}.${token.split('.')[2]}`,
    ],
    ['alg HS512 for a key of HS256', () => signed('sha512', { ...header, alg: 'HS512' }, claims)],
    ['alg hs256 in lower case', () => hs256({ ...header, alg: 'hs256' }, claims)],
    ['an RS256 signature', () => rs256({ ...header, alg: 'RS256' }, claims)],
    ['no kid', () => hs256({ typ: 'at+jwt', alg: 'HS256' }, claims)],
    ['an unknown kid', () => hs256({ ...header, kid: 'another' }, claims)],
    ['a kid that is a path', () => hs256({ ...header, kid: '../../dev/null' }, claims)],
    ['a jwk in the header', () => hs256({ ...header, jwk: { kty: 'oct', k: 'AAAA' } }, claims)],
    ['a jku in the header', () => hs256({ ...header, jku: 'http://127.0.0.1:1/jwks' }, claims)],
    ['crit', () => hs256({ ...header, crit: ['exp'] }, claims)],
    ['typ JWT', () => hs256({ ...header, typ: 'JWT' }, claims)],
    ['no typ', () => hs256({ alg: 'HS256', kid: header.kid }, claims)],
    ['a foreign key', () => signed('sha256', header, claims, 'another-key-another-key-another-key')],
    ['an empty key', () => signed('sha256', header, claims, '')],
    ['another issuer', () => hs256(header, { ...claims, iss: 'https://evil.example' })],
    ['another audience', () => hs256(header, { ...claims, aud: 'another-service' })],
    ['an audience list', () => hs256(header, { ...claims, aud: ['latchkey', 'other'] })],
    ['iat in the future', () => hs256(header, { ...claims, iat: now + 3600, exp: now + 4000 })],
    ['nbf in the future', () => hs256(header, { ...claims, nbf: now + 3600 })],
    ['a life longer than any of ours', () => hs256(header, { ...claims, exp: now + 86_400 })],
    ['exp as text', () => hs256(header, { ...claims, exp: String(now + 100) })],
    ['exp 1e400', () => hs256(header, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e400'))],
    ['exp as a fraction', () => hs256(header, { ...claims, exp: now + 100.5 })],
    ['roles as text', () => hs256(header, { ...claims, roles: 'admin' })],
    ...['iss', 'aud', 'sub', 'iat', 'exp', 'jti', 'sid', 'auth_time', 'roles'].map((name): [string, () => string] => [
      `no ${name}`,
      () => hs256(header, without(name)),
    ]),
    ['claims that are an array', () => hs256(header, [])],
    ['claims that are null', () => hs256(header, 'null')],
    ['claims that are no JSON', () => hs256(header, 'nonsense')],
    ['claims with a byte order mark', () => hs256(header, `\ufeff${JSON.stringify(claims)}`)],
    ['a padded signature', () => `${token}=`],
    ['loose bits at the end', () => loosen(token)],
    ['white space in it', () => token.replace('.', '. ')],
    ['a fourth part', () => `${token}.AAAA`],
    ['two parts', () => token.split('.').slice(0, 2).join('.')],
    [
      'a changed claim',
      () => `${token.split('.')[0]}.${encode({ ...claims, roles: ['admin'] })}.${token.split('.')[2]}`,
    ],
    ['a JWE', () => `${encode({ alg: 'dir', enc: 'A128GCM' })}..AAAA.AAAA.AAAA`],
    ['9 KB', () => hs256(header, { ...claims, filler: 'x'.repeat(9000) })],
  ];

  it.each(odd)('with %s is refused', async (_name, make) => {
    const { body } = await app.client().me(make()).expect(401);
    expect(body.code).toBe('token_invalid');
  });

  it('that has expired is its own code, and only where all else is right', async () => {
    const past = { ...claims, iat: now - 2000, exp: now - 1100 };
    expect((await app.client().me(hs256(header, past)).expect(401)).body.code).toBe('token_expired');
    expect(
      (
        await app
          .client()
          .me(signed('sha256', header, past, 'another-key-another-key-another-key'))
          .expect(401)
      ).body.code,
    ).toBe('token_invalid');
    expect(
      (
        await app
          .client()
          .me(hs256(header, { ...past, aud: 'another-service' }))
          .expect(401)
      ).body.code,
    ).toBe('token_invalid');
  });

  it('in the query, in the body, or as a Basic credential is no token', async () => {
    await app.client().send('get', `/auth/me?access_token=${token}`).expect(401);
    const { body } = await app
      .client()
      .send('get', '/auth/me')
      .set('Authorization', `Basic ${encode(`x:${token}`)}`)
      .expect(401);
    expect(body.code).toBe('token_missing');
  });

  it('for a session or a user that never was is refused', async () => {
    expect(
      (
        await app
          .client()
          .me(hs256(header, { ...claims, sid: randomUUID() }))
          .expect(401)
      ).body.code,
    ).toBe('token_revoked');
    expect(
      (
        await app
          .client()
          .me(hs256(header, { ...claims, sub: randomUUID() }))
          .expect(401)
      ).body.code,
    ).toBe('token_revoked');
  });

  it('publishes no shared key', async () => {
    const { body } = await app.client().send('get', '/.well-known/jwks.json').expect(200);
    expect(body).toEqual({ keys: [] });
  });

  function signed(hash: string, head: unknown, payload: unknown, secret = JWT_SECRET): string {
    const input = `${encode(head)}.${encode(payload)}`;
    return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
  }
  const hs256 = (head: unknown, payload: unknown) => signed('sha256', head, payload);

  function rs256(head: unknown, payload: unknown): string {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const input = `${encode(head)}.${encode(payload)}`;
    return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
  }
});

/** Another spelling of the same signature bytes: 32 bytes leave two loose bits in 43 characters. */
function loosen(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.at(-1)!);
  return token.slice(0, -1) + alphabet[last + 1];
}

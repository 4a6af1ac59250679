import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';

import { temporaryFolders } from '../../test/support/temporary-folders.js';
import { createLogger } from '../common/logging.js';
import { SecondFactorPolicy } from '../common/second-factors.js';
import type { Config } from '../config/config.js';
import { AccessTokenIssuer } from './access-token-issuer.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import type { Algorithm } from '#verifier';
import { JwsSigner } from './jws-signer.js';
import { ConfiguredKeys } from './configured-keys.js';
import { KeyRing } from './key-ring.js';
import { compose } from './ring-composition.js';

const JWT_SECRET = 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA';
const tokensConfig = (algorithm: Algorithm, file: string | null): Config['tokens'] => ({
  algorithm,
  secret: algorithm.startsWith('HS') ? JWT_SECRET : '',
  keysFile: file,
  issuer: 'https://auth.example.com',
  audience: 'latchkey',
  accessTokenSeconds: 900,
  attributeClaims: [],
  revocationEventTokens: false,
});

const folder = temporaryFolders();

function keysFile(...keys: object[]): string {
  const file = path.join(folder(), 'keys.json');
  writeFileSync(file, JSON.stringify({ keys }));
  return file;
}

const privateJwk = {
  EdDSA: () => generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
};

const publicPart = ({ x, y, n }: JsonWebKey) => ({ ...(x && { x }), ...(y && { y }), ...(n && { n }) });

async function loadKeyRing(tokens: Config['tokens']): Promise<KeyRing> {
  const ring = new KeyRing();
  ring.put(compose(await ConfiguredKeys.load(tokens), [], new Date()));
  return ring;
}

const subject = {
  id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11',
  user_id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10',
  username: 'ada',
  roles: ['user'],
  permissions: ['a:read', 'b:write'],
  amr: ['pwd'],
  auth_time: 1,
  device_id: null,
  must_change_password: false,
  attributes: {},
};

const issue = (ring: KeyRing, tokens: Config['tokens']): string =>
  new AccessTokenIssuer(new JwsSigner(ring), new SecondFactorPolicy('off'), createLogger('silent'), {
    tokens,
  } as Config).issue({
    ...subject,
    issued_at: Math.floor(Date.now() / 1000),
  });

describe('the keys of the settings', () => {
  it.each(['EdDSA', 'ES256', 'RS256'] as const)(
    'signs with %s, publishes the public half alone, and jose believes it',
    async (algorithm) => {
      const config = tokensConfig(algorithm, keysFile(privateJwk[algorithm]()));
      const ring = await loadKeyRing(config);
      const token = issue(ring, config);
      const jwks = ring.publicJwks();
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(jwks.keys[0]).not.toHaveProperty(member);
      const { payload } = await jwtVerify(token, createLocalJWKSet(jwks as JSONWebKeySet), {
        issuer: config.issuer,
        audience: 'latchkey',
        typ: 'at+jwt',
      });
      expect(payload).toMatchObject({ sub: subject.user_id, scope: 'a:read b:write' });
      const verifier = new AccessTokenVerifier(ring, {
        issuer: config.issuer,
        audiences: ['latchkey'],
        maxAgeSeconds: 900,
      });
      expect(verifier.verify(token, new Date())).toEqual(payload);
      const other = await loadKeyRing(
        tokensConfig(algorithm, keysFile({ ...privateJwk[algorithm](), kid: ring.signerFor('latchkey').kid })),
      );
      const foreign = issue(other, config);
      expect(() => verifier.verify(foreign, new Date())).toThrow('signature');
    },
  );

  it('verifies with the keys of the file while the shared key signs', async () => {
    const old = privateJwk.EdDSA();
    const before = tokensConfig('EdDSA', keysFile(old));
    const token = issue(await loadKeyRing(before), before);
    const after = await loadKeyRing(tokensConfig('HS256', keysFile(old)));
    expect(after.signerFor('latchkey').algorithm).toBe('HS256');
    const verifier = new AccessTokenVerifier(after, {
      issuer: before.issuer,
      audiences: ['latchkey'],
      maxAgeSeconds: 900,
    });
    expect(verifier.verify(token, new Date()).username).toBe('ada');
  });

  it('gives a shared key an id that stays the same and tells nothing', async () => {
    const [one, two] = await Promise.all([
      loadKeyRing(tokensConfig('HS256', null)),
      loadKeyRing(tokensConfig('HS256', null)),
    ]);
    expect(one.signerFor('latchkey').kid).toBe(two.signerFor('latchkey').kid);
    expect(JWT_SECRET).not.toContain(one.signerFor('latchkey').kid);
  });

  const bad: [string, () => string, string][] = [
    ['a missing file', () => '/nonexistent/keys.json', 'cannot be read'],
    ['no keys', () => keysFile(), 'holds no keys'],
    ['no private key', () => keysFile({ ...privateJwk.EdDSA(), d: undefined }), 'no private key for EdDSA'],
    [
      'a short shared key',
      () => keysFile({ kty: 'oct', k: Buffer.alloc(31, 7).toString('base64url') }),
      'key 1: a secret for HS256 must be at least 32 bytes',
    ],
    [
      'a point off its curve',
      () => keysFile({ ...privateJwk.ES256(), y: Buffer.alloc(32, 1).toString('base64url') }),
      'key 1: a key is not a valid key',
    ],
    [
      'one kid twice',
      () => keysFile({ ...privateJwk.EdDSA(), kid: 'a' }, { ...privateJwk.EdDSA(), kid: 'a' }),
      'twice',
    ],
    [
      'RSA of 1024 bits',
      () => keysFile(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' })),
      'key 1: an RSA key must have at least 2048 bits',
    ],
    ...(['EdDSA', 'ES256', 'RS256'] as const).map((algorithm): (typeof bad)[number] => [
      `a private part of another key (${algorithm})`,
      () => keysFile({ ...privateJwk[algorithm](), ...publicPart(privateJwk[algorithm]()) }),
      'key 1: ',
    ]),
    ['a file that is no JSON', () => path.join(folder(), '.'), 'cannot be read'],
    ['a key that is null', () => keysFile(null as unknown as object), 'key 1: is not a valid key'],
    [
      'another curve',
      () => keysFile(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' })),
      'names no algorithm',
    ],
  ];
  it.each(bad)('refuses %s, without showing a key', async (_name, file, mistake) => {
    const refused = await loadKeyRing(tokensConfig('EdDSA', file())).then(
      () => null,
      (error: Error) => error,
    );
    expect(String(refused)).toContain(mistake);
    expect(String(refused)).not.toMatch(/"d"|"k"/);
  });
});

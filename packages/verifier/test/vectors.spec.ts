import { createPublicKey, type JsonWebKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { createVerifier, type Jwk, type RevocationEntry, type RevocationSource } from '../src/index.js';
import { AUDIENCE, ids, ISSUER, NOW, SECRET, TestIssuer, userClaims } from './issuer.js';
import { oddTokens } from './odd-tokens.js';

/** Known to everybody: they sign vectors and nothing else. */
const PRIVATE = JSON.parse(fs.readFileSync(path.join(__dirname, 'vector-keys.json'), 'utf8')) as Record<
  string,
  JsonWebKey
>;
const FILE = path.join(__dirname, '../vectors.json');

interface Vector {
  name: string;
  token: string;
  result: 'ok' | 'token_invalid' | 'token_expired' | 'token_revoked';
  reason?: string;
}
interface VectorFile {
  issuer: string;
  audience: string;
  now: number;
  max_age: number;
  keys: Jwk[];
  revocations: RevocationEntry[];
  vectors: Vector[];
}

const shared = new TestIssuer('HS256', 'shared', SECRET);
const pairs = Object.entries(PRIVATE).map(([alg, jwk]) => TestIssuer.ofJwk(alg, alg.toLowerCase(), jwk));
const other = (last: string): string => `${ids.session.slice(0, -1)}${last}`;

function make(): VectorFile {
  const entry = (kind: string, subject: string, issued_before: number | null): RevocationEntry => ({
    id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9aff',
    kind,
    subject,
    issued_before,
    reason: 'logout',
    revoked_at: new Date(NOW * 1000).toISOString(),
    expires_at: new Date((NOW + 910) * 1000).toISOString(),
  });
  const good = (name: string, issuer: TestIssuer, overrides = {}): Vector => ({
    name,
    token: issuer.token(userClaims(overrides)),
    result: 'ok',
  });
  const revoked = (name: string, reason: string, overrides = {}, issuer = shared): Vector => ({
    name: `revoked: ${name}`,
    token: issuer.token(userClaims(overrides)),
    result: 'token_revoked',
    reason,
  });
  const { iss, aud, iat, exp, jti } = userClaims();
  const service = { iss, aud, iat, exp, jti, scope: 'orders:read', sub: other('e'), client_id: other('e') };
  return {
    issuer: ISSUER,
    audience: AUDIENCE,
    now: NOW,
    max_age: 86_400,
    keys: [
      ...['shared', 'compromised'].map((kid) => ({
        kty: 'oct',
        alg: 'HS256',
        kid,
        k: Buffer.from(SECRET).toString('base64url'),
      })),
      ...Object.entries(PRIVATE).map(([alg, jwk]) => ({
        ...createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' }),
        alg,
        kid: alg.toLowerCase(),
        use: 'sig',
      })),
    ],
    revocations: [
      entry('token', other('1'), null),
      entry('session', other('2'), null),
      entry('user', other('3'), NOW - 30),
      entry('user', other('3'), NOW - 300),
      entry('client', other('4'), NOW),
      entry('key', 'compromised', null),
      entry('galaxy', ids.session, null),
    ],
    vectors: [
      good('a user’s token', shared),
      good('with claims that nobody knows', shared, { org_id: 'acme', extra: { deep: [1] } }),
      good('bound to a device', shared, { device_id: 'phone-1' }),
      good('made by a clock that runs a little ahead', shared, { iat: NOW + 4, exp: NOW + 904, nbf: NOW + 4 }),
      good('in its last second', shared, { exp: NOW + 1 }),
      { name: 'a service’s own token', token: shared.token(service), result: 'ok' },
      ...pairs.map((issuer) => good(`signed with ${issuer.alg}`, issuer)),
      ...pairs.map((issuer): Vector => ({
        name: `signed with ${issuer.alg}, by the key of another`,
        token: issuer.token(userClaims(), {
          typ: 'at+jwt',
          alg: issuer.alg,
          kid: pairs.find((p) => p !== issuer)!.kid,
        }),
        result: 'token_invalid',
        reason: 'alg',
      })),
      ...pairs.map((issuer): Vector => ({
        name: `signed with ${issuer.alg}, and changed`,
        token: issuer.token().replace(/\.[^.]+\./, `.${shared.token(userClaims({ roles: ['admin'] })).split('.')[1]}.`),
        result: 'token_invalid',
        reason: 'signature',
      })),
      revoked('the token', 'token', { jti: other('1') }),
      revoked('the session', 'session', { sid: other('2') }),
      revoked('the user up to a time', 'user', { sub: other('3') }),
      good('the user up to a time, and made later', shared, { sub: other('3'), iat: NOW - 30 }),
      revoked('the client up to a time', 'client', { client_id: other('4') }),
      revoked('the key', 'key', {}, new TestIssuer('HS256', 'compromised', SECRET)),
      ...oddTokens(shared),
    ],
  };
}

/** The signatures of ES256 are random: as they are in the file, where the rest is the same. */
function keepRandom(made: VectorFile, kept: VectorFile | null): VectorFile {
  const known = new Map(kept?.vectors.map(({ name, token }) => [name, token]));
  const signed = (token: string) => token.slice(0, token.lastIndexOf('.'));
  const vectors = made.vectors.map((vector) => {
    const before = known.get(vector.name);
    return before && vector.name.includes('ES256') && signed(before) === signed(vector.token)
      ? { ...vector, token: before }
      : vector;
  });
  return { ...made, vectors };
}

describe('vectors.json', () => {
  const kept = fs.existsSync(FILE) ? (JSON.parse(fs.readFileSync(FILE, 'utf8')) as VectorFile) : null;
  const made = keepRandom(make(), kept);

  it('is what this file makes: run it with --updateSnapshot where it is not', () => {
    if (expect.getState().snapshotState._updateSnapshot === 'all')
      fs.writeFileSync(FILE, `${JSON.stringify(made, null, 2)}\n`);
    expect(JSON.parse(fs.readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(made)));
  });

  it('is what the verifier does', () => {
    const source: RevocationSource = {
      start: (sink) => {
        for (const entry of made.revocations) sink.add(entry);
        sink.synced();
      },
      close: () => {},
    };
    const verifier = createVerifier({
      issuer: made.issuer,
      audience: made.audience,
      keys: made.keys,
      maxTokenAgeSeconds: made.max_age,
      revocations: source,
      now: () => made.now * 1000,
    });
    for (const { name, token, result, reason } of made.vectors) {
      let answer: { code: string; reason?: string } = { code: 'ok' };
      try {
        verifier.verifySync(token);
      } catch (error) {
        answer = error as { code: string; reason: string };
      }
      expect([name, answer.code, answer.reason]).toEqual([name, result, reason]);
    }
    expect(new Set(made.vectors.map(({ name }) => name)).size).toBe(made.vectors.length);
  });
});

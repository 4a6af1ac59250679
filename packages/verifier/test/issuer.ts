import { createHmac, createPrivateKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto';

export const ISSUER = 'https://auth.example.com';
export const AUDIENCE = 'latchkey';
export const SECRET = 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA';
/** 2026-01-31T12:00:00Z */
export const NOW = 1_769_860_800;

export const ids = {
  user: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10',
  session: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11',
  token: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a12',
};

export const userClaims = (overrides: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: ids.user,
  iat: NOW - 60,
  exp: NOW + 840,
  jti: ids.token,
  sid: ids.session,
  username: 'ada',
  roles: ['user'],
  permissions: ['orders:read'],
  scope: 'orders:read',
  amr: ['pwd'],
  auth_time: NOW - 60,
  ...overrides,
});

const encode = (value: unknown): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))).toString(
    'base64url',
  );

/** Signs whatever it is given, as an issuer with that key could: also what no issuer should. */
export class TestIssuer {
  constructor(
    readonly alg: string,
    readonly kid: string,
    private readonly key: KeyObject | string,
  ) {}

  static ofJwk(alg: string, kid: string, jwk: object): TestIssuer {
    return new TestIssuer(alg, kid, createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }));
  }

  /** `claims` and `header` may be objects, text or bytes. */
  token(claims: unknown = userClaims(), header: unknown = { typ: 'at+jwt', alg: this.alg, kid: this.kid }): string {
    const input = `${encode(header)}.${encode(claims)}`;
    return `${input}.${this.sign(input).toString('base64url')}`;
  }

  sign(input: string): Buffer {
    if (typeof this.key === 'string') {
      return createHmac(`sha${this.alg.slice(2)}`, this.key)
        .update(input)
        .digest();
    }
    const options = this.alg === 'ES256' ? { key: this.key, dsaEncoding: 'ieee-p1363' as const } : { key: this.key };
    return sign(this.alg === 'EdDSA' ? null : 'sha256', Buffer.from(input), options);
  }
}

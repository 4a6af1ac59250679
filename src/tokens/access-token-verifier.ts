import { isUtf8 } from 'node:buffer';

import { z } from 'zod';

import { ACCESS_TOKEN_TYPE, type AccessTokenClaims } from './access-token.js';
import { verifyInput } from './jws.js';
import type { KeyRing, RingKey } from './key-ring.js';

export type TokenFault = 'token_invalid' | 'token_expired';

/** Why a token is not accepted. `reason` is for logs and tests; callers see the code alone. */
export class TokenError extends Error {
  constructor(
    readonly code: TokenFault,
    readonly reason: string,
  ) {
    super(reason);
  }
}

export interface VerifierSettings {
  issuer: string;
  audiences: readonly string[];
  /** The longest life that a token may have or claim. */
  maxAgeSeconds: number;
}

const MAX_LENGTH = 8192;
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** How far the clock of the replica that issued may run ahead of ours. */
const FUTURE_TOLERANCE_SECONDS = 5;

/** Exactly what this service writes: another member is somebody else's idea (RFC 8725, section 3.10). */
const header = z.strictObject({ typ: z.literal(ACCESS_TOKEN_TYPE), alg: z.string(), kid: z.string().min(1).max(256) });

const instant = z.int().min(0);
const claims = z.looseObject({
  iss: z.string(),
  aud: z.string(),
  sub: z.uuid(),
  iat: instant,
  exp: instant,
  nbf: instant.optional(),
  jti: z.string().min(1),
  sid: z.uuid(),
  username: z.string(),
  roles: z.array(z.string()),
  permissions: z.array(z.string()),
  scope: z.string(),
  amr: z.array(z.string()),
  auth_time: instant,
  device_id: z.string().optional(),
});

/**
 * Verifies access tokens, more strictly than the libraries do: one spelling a token, one algorithm
 * a key, one type, all claims present (RFC 8725; RFC 9068, section 4). Synchronous.
 */
export class AccessTokenVerifier {
  constructor(
    private readonly ring: KeyRing,
    private readonly settings: VerifierSettings,
  ) {}

  /** @throws TokenError `token_expired` only where all else is right, else `token_invalid` */
  verify(token: string, now: Date): AccessTokenClaims {
    const { key, input, payload, signature } = this.parse(token);
    if (!verifyInput(key.algorithm, key.verifyKey, input, signature)) throw invalid('signature');
    return this.check(payload, Math.floor(now.getTime() / 1000));
  }

  private parse(token: string): { key: RingKey; input: string; payload: string; signature: Buffer } {
    if (token.length > MAX_LENGTH || !COMPACT.test(token)) throw invalid('format');
    const [head, payload, tail] = token.split('.');
    const parsed = header.safeParse(parseJson(head));
    if (!parsed.success) throw invalid('header');
    const key = this.ring.find(parsed.data.kid);
    if (!key) throw invalid('kid');
    if (parsed.data.alg !== key.algorithm) throw invalid('alg');
    const signature = Buffer.from(tail, 'base64url');
    if (signature.toString('base64url') !== tail) throw invalid('loose bits'); // RFC 4648, section 3.5
    return { key, input: `${head}.${payload}`, payload, signature };
  }

  private check(payload: string, now: number): AccessTokenClaims {
    const parsed = claims.safeParse(parseJson(payload));
    if (!parsed.success) throw invalid(`claim ${String(parsed.error.issues[0].path[0])}`);
    const { iss, aud, iat, exp, nbf } = parsed.data;
    if (iss !== this.settings.issuer) throw invalid('iss');
    if (!this.settings.audiences.includes(aud)) throw invalid('aud');
    if (iat > now + FUTURE_TOLERANCE_SECONDS) throw invalid('iat');
    if (nbf !== undefined && nbf > now + FUTURE_TOLERANCE_SECONDS) throw invalid('nbf');
    if (exp <= iat || exp - iat > this.settings.maxAgeSeconds) throw invalid('exp');
    if (exp <= now) throw new TokenError('token_expired', 'exp');
    return parsed.data;
  }
}

const invalid = (reason: string): TokenError => new TokenError('token_invalid', reason);

function parseJson(part: string): unknown {
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return null; // RFC 8725, section 3.7
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}

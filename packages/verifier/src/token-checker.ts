import { isUtf8 } from 'node:buffer';

import { type AccessTokenClaims, readClaims } from './claims.js';
import { TokenExpired, TokenInvalid } from './errors.js';
import type { KeyFinder, VerifyKey } from './keys.js';
import { verifySignature } from './signature.js';

export interface CheckerSettings {
  keys: KeyFinder;
  issuer: string;
  /** `any`: the caller looks at the claim `aud` itself. */
  audiences: readonly string[] | 'any';
  /** The longest life that a token may have or claim. */
  maxAgeSeconds: number;
  /** How far the issuer's clock may run ahead of ours. Never lengthens a token's life. Default 5. */
  clockToleranceSeconds?: number;
}

export interface CheckOptions {
  /**
   * The device that presents the token; empty where it named none. A token bound to a device is then
   * refused from any other. Left out, the binding is not looked at.
   */
  deviceId?: string;
}

/** A token that has passed, and the key that it passed with. */
export interface CheckedToken {
  readonly claims: AccessTokenClaims;
  readonly key: VerifyKey;
}

/** `typ` of an access token (RFC 9068, section 2.1): no other kind of token passes for one. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

const MAX_LENGTH = 8192;
const MAX_KID_LENGTH = 256;
const DEFAULT_CLOCK_TOLERANCE_SECONDS = 5;
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** Headers that verified tokens have borne: one for each key in use, and some room for rotation. */
const MAX_KNOWN_HEADERS = 32;

interface Header {
  alg: string;
  kid: string;
}

/**
 * Checks access tokens, more strictly than the libraries do: one spelling a token, one algorithm a
 * key, one type, all claims present (RFC 8725; RFC 9068, section 4). Synchronous, and without a
 * look at revocations.
 */
export class TokenChecker {
  private readonly knownHeaders = new Map<string, Header>();
  private readonly clockToleranceSeconds: number;

  constructor(private readonly settings: CheckerSettings) {
    this.clockToleranceSeconds = settings.clockToleranceSeconds ?? DEFAULT_CLOCK_TOLERANCE_SECONDS;
  }

  /**
   * The claims of a token, and its key.
   *
   * @param nowSeconds seconds since 1970
   * @throws TokenInvalid
   * @throws TokenExpired only where all else is right
   */
  check(token: string, nowSeconds: number, options?: CheckOptions): CheckedToken {
    if (typeof token !== 'string' || token.length > MAX_LENGTH || !COMPACT.test(token))
      throw new TokenInvalid('format');
    const headEnd = token.indexOf('.');
    const payloadEnd = token.indexOf('.', headEnd + 1);
    const head = token.slice(0, headEnd);
    const payload = token.slice(headEnd + 1, payloadEnd);
    const signature = token.slice(payloadEnd + 1);

    const known = this.knownHeaders.get(head);
    const header = known ?? readHeader(head);
    const key = this.settings.keys.find(header.kid);
    if (!key) throw new TokenInvalid('kid');
    if (header.alg !== key.algorithm) throw new TokenInvalid('alg');
    if (!isCanonical(signature) || !isCanonical(payload)) throw new TokenInvalid('loose bits');
    if (!verifySignature(key.algorithm, key.verifyKey, token.slice(0, payloadEnd), signature))
      throw new TokenInvalid('signature');
    // Only now: a header that nobody signed must not take up room.
    if (!known) this.remember(head, header);

    const claims = readClaims(parseJson(payload));
    this.checkValues(claims, nowSeconds);
    this.checkUse(claims, nowSeconds, options);
    return { claims, key };
  }

  /** What may differ from one use of a token to the next: the device, and the time. */
  checkUse(claims: AccessTokenClaims, nowSeconds: number, options?: CheckOptions): void {
    if (options?.deviceId !== undefined && claims.device_id !== undefined && claims.device_id !== options.deviceId)
      throw new TokenInvalid('device');
    if (claims.exp <= nowSeconds) throw new TokenExpired();
  }

  private checkValues({ iss, aud, iat, exp, nbf }: AccessTokenClaims, nowSeconds: number): void {
    const latest = nowSeconds + this.clockToleranceSeconds;
    if (iss !== this.settings.issuer) throw new TokenInvalid('iss');
    const { audiences } = this.settings;
    if (audiences !== 'any' && !audiences.includes(aud)) throw new TokenInvalid('aud');
    if (iat > latest) throw new TokenInvalid('iat');
    if (nbf !== undefined && nbf > latest) throw new TokenInvalid('nbf');
    if (exp <= iat || exp - iat > this.settings.maxAgeSeconds) throw new TokenInvalid('exp');
  }

  private remember(head: string, header: Header): void {
    if (this.knownHeaders.size >= MAX_KNOWN_HEADERS) this.knownHeaders.clear();
    this.knownHeaders.set(head, header);
  }
}

/** The key that a token names. @throws TokenInvalid */
export const kidOf = (token: string): string => readHeader(token.slice(0, token.indexOf('.'))).kid;

/** Exactly what Latchkey writes: another member is somebody else's idea (RFC 8725, section 3.10). */
function readHeader(head: string): Header {
  const header = isCanonical(head) ? (parseJson(head) as Record<string, unknown> | null) : null;
  if (typeof header !== 'object' || header === null || Object.keys(header).length !== 3)
    throw new TokenInvalid('header');
  const { typ, alg, kid } = header;
  if (typ !== ACCESS_TOKEN_TYPE || typeof alg !== 'string') throw new TokenInvalid('header');
  if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH) throw new TokenInvalid('header');
  return { alg, kid };
}

/** Whether base64url text has a possible length, and no bits set beyond its last byte (RFC 4648, section 3.5). */
function isCanonical(text: string): boolean {
  switch (text.length & 3) {
    case 0:
      return true;
    case 2:
      return 'AQgw'.includes(text[text.length - 1]);
    case 3:
      return 'AEIMQUYcgkosw048'.includes(text[text.length - 1]);
    default:
      return false;
  }
}

function parseJson(part: string): unknown {
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return null; // RFC 8725, section 3.7
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}

import { createHash, createHmac, createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import { VerifierConfigError } from './errors.js';
import { type Algorithm, type HmacAlgorithm, isHmac } from './signature.js';

/** A key that tokens are verified with. It serves one algorithm (RFC 8725, section 3.1). */
export interface VerifyKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  /** A public or a shared key, never a private one. */
  readonly verifyKey: KeyObject;
}

/** Where a checker finds the key that a token names. */
export interface KeyFinder {
  find(kid: string): VerifyKey | undefined;
}

/** A key as RFC 7517 writes it. */
export interface Jwk {
  readonly kty?: string;
  readonly alg?: string;
  readonly kid?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
  readonly crv?: string;
  readonly [member: string]: unknown;
}

/** A secret shared with the issuer. Without `kid` it gets the one that Latchkey derives too. */
export interface SharedSecret {
  readonly alg: HmacAlgorithm;
  /** Text is taken as UTF-8. At least as long as the hash: 32 bytes for HS256. */
  readonly secret: string | Uint8Array;
  readonly kid?: string;
}

const MIN_RSA_BITS = 2048; // RFC 7518, section 3.3
const MAX_KID_LENGTH = 256;

/** RFC 7518, section 3.2: an HMAC key is at least as long as the hash output. */
export const minSecretBytes = (algorithm: HmacAlgorithm): number => Number(algorithm.slice(2)) / 8;

/**
 * A shared key. Its id is an HMAC under the key itself, so that it is stable and tells nothing.
 *
 * @throws VerifierConfigError where the secret is too short
 */
export function sharedKey({ alg, secret, kid }: SharedSecret): VerifyKey {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret;
  if (!isHmac(alg) || !['HS256', 'HS384', 'HS512'].includes(alg))
    throw new VerifierConfigError('a shared secret serves HS256, HS384 or HS512');
  if (bytes.length < minSecretBytes(alg))
    throw new VerifierConfigError(`a secret for ${alg} must be at least ${minSecretBytes(alg)} bytes long`);
  const key = createSecretKey(bytes);
  const derivedKid = createHmac('sha256', key).update('latchkey kid').digest('base64url').slice(0, 16);
  return { kid: checkKid(kid ?? derivedKid), algorithm: alg, verifyKey: key };
}

/**
 * The verifying key in a JWK: of a private one, the public half. Without `kid` it is known by its
 * thumbprint (RFC 7638).
 *
 * @throws VerifierConfigError where it is weak, malformed, off its curve or not for signatures
 */
export function importJwk(jwk: Jwk): VerifyKey {
  const algorithm = algorithmOf(jwk);
  if (!algorithm) throw new VerifierConfigError('a key names no algorithm that fits it');
  if (jwk.use !== undefined && jwk.use !== 'sig') throw new VerifierConfigError('a key is not for signatures');
  if (jwk.key_ops !== undefined && !isForSignatures(jwk.key_ops))
    throw new VerifierConfigError('a key is not for signatures');
  if (isHmac(algorithm)) {
    const secret = typeof jwk.k === 'string' ? Buffer.from(jwk.k, 'base64url') : Buffer.alloc(0);
    return sharedKey({ alg: algorithm, secret, kid: jwk.kid });
  }
  const verifyKey = importPublic(jwk);
  return { kid: checkKid(jwk.kid ?? thumbprint(verifyKey)), algorithm, verifyKey };
}

/** Either of the two ways to write a key down. */
export const importKey = (key: Jwk | SharedSecret): VerifyKey =>
  'secret' in key && !('kty' in key) ? sharedKey(key as SharedSecret) : importJwk(key);

/** RFC 7638, section 3: SHA-256 over the required members alone, in the order of their names. */
export function thumbprint(publicKey: KeyObject): string {
  const { crv, e, kty, n, x, y } = publicKey.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, e, kty, n, x, y })).digest('base64url');
}

function importPublic(jwk: Jwk): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }); // checks the point (RFC 8725, section 3.4)
  } catch {
    throw new VerifierConfigError('a key is not a valid key');
  }
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < MIN_RSA_BITS)
    throw new VerifierConfigError(`an RSA key must have at least ${MIN_RSA_BITS} bits`);
  if (publicExponent !== undefined && publicExponent < 3n)
    // with 1, anybody signs
    throw new VerifierConfigError('a key is not a valid key');
  return key;
}

function algorithmOf({ kty, crv, alg }: Jwk): Algorithm | null {
  if (kty === 'EC' && crv === 'P-256' && (alg ?? 'ES256') === 'ES256') return 'ES256';
  if (kty === 'OKP' && crv === 'Ed25519' && ['EdDSA', 'Ed25519'].includes(alg ?? 'EdDSA')) return 'EdDSA';
  if (kty === 'RSA' && (alg ?? 'RS256') === 'RS256') return 'RS256';
  if (kty === 'oct' && ['HS256', 'HS384', 'HS512'].includes(alg ?? 'HS256')) return (alg ?? 'HS256') as Algorithm;
  return null;
}

/** RFC 7517, section 4.3. A key comes from outside, where its members may be anything. */
const isForSignatures = (operations: unknown): boolean =>
  Array.isArray(operations) && (operations.includes('verify') || operations.includes('sign'));

function checkKid(kid: string): string {
  if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH)
    throw new VerifierConfigError(`a kid has 1 to ${MAX_KID_LENGTH} characters`);
  return kid;
}

/** Keys by their id. */
export class KeySet implements KeyFinder {
  private readonly byKid = new Map<string, VerifyKey>();

  /** @throws VerifierConfigError where two keys have one id */
  constructor(keys: readonly VerifyKey[] = []) {
    for (const key of keys) {
      if (this.byKid.has(key.kid)) throw new VerifierConfigError(`two keys have the kid ${key.kid}`);
      this.byKid.set(key.kid, key);
    }
  }

  find(kid: string): VerifyKey | undefined {
    return this.byKid.get(kid);
  }

  get size(): number {
    return this.byKid.size;
  }
}

import { constants, createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto';

/** The signature algorithms that this service signs with and accepts (RFC 7518; RFC 8037 for EdDSA). */
export type Algorithm = 'HS256' | 'HS384' | 'HS512' | 'ES256' | 'EdDSA' | 'RS256';

/**
 * The signature of a JWS signing input, by Node's own cryptography and at once: a promise would
 * wait behind password hashes in libuv's pool (docs/adr/0002).
 */
export function signInput(algorithm: Algorithm, key: KeyObject, input: string): Buffer {
  if (algorithm.startsWith('HS')) return hmac(algorithm, key, input);
  return sign(digestOf(algorithm), Buffer.from(input), options(algorithm, key));
}

/**
 * Whether `signature` is that of `input`; HMACs are compared in constant time. Of an ES256 signature
 * (r, s) anybody can make a second one, (r, n - s), so a token has two spellings. Nothing goes by the
 * spelling: a token is known, and revoked, by its `jti` and `sid`, which are signed. RFC 7518 wants no low s.
 */
export function verifyInput(algorithm: Algorithm, key: KeyObject, input: string, signature: Buffer): boolean {
  if (algorithm.startsWith('HS')) {
    const expected = hmac(algorithm, key, input);
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  }
  return verify(digestOf(algorithm), Buffer.from(input), options(algorithm, key), signature);
}

const hmac = (algorithm: Algorithm, key: KeyObject, input: string): Buffer =>
  createHmac(`sha${algorithm.slice(2)}`, key)
    .update(input)
    .digest();

const digestOf = (algorithm: Algorithm): 'sha256' | null => (algorithm === 'EdDSA' ? null : 'sha256');

/** RFC 7518, section 3.4: an ECDSA signature is R ‖ S, not DER. */
const options = (algorithm: Algorithm, key: KeyObject) =>
  algorithm === 'ES256'
    ? { key, dsaEncoding: 'ieee-p1363' as const }
    : algorithm === 'RS256'
      ? { key, padding: constants.RSA_PKCS1_PADDING }
      : { key };

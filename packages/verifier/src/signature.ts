import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';

/** The signature algorithms of access tokens (RFC 7518; RFC 8037 for EdDSA, which is Ed25519 alone). */
export type Algorithm = 'HS256' | 'HS384' | 'HS512' | 'ES256' | 'EdDSA' | 'RS256';

export type HmacAlgorithm = 'HS256' | 'HS384' | 'HS512';

const HASHES: Record<HmacAlgorithm, string> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

export const isHmac = (algorithm: Algorithm): algorithm is HmacAlgorithm => algorithm.startsWith('HS');

/**
 * Whether `signature`, in base64url, is that of `input`. Synchronous, by Node's own cryptography: a
 * promise would wait behind whatever else is in libuv's pool, such as password hashes. Of an ES256 signature
 * (r, s) anybody can make a second one, (r, n - s), so a token has two spellings. Nothing goes by the
 * spelling: a token is known, and revoked, by its `jti` and `sid`, which are signed.
 */
export function verifySignature(algorithm: Algorithm, key: KeyObject, input: string, signature: string): boolean {
  if (isHmac(algorithm)) return verifyHmac(HASHES[algorithm], key, input, signature);
  return verifyAsymmetric(algorithm, key, input, Buffer.from(signature, 'base64url'));
}

/** Text is compared, in constant time, rather than bytes: so each HMAC has one spelling alone. */
function verifyHmac(hash: string, key: KeyObject, input: string, signature: string): boolean {
  const expected = createHmac(hash, key).update(input).digest('base64url');
  return (
    expected.length === signature.length &&
    timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(signature, 'latin1'))
  );
}

function verifyAsymmetric(
  algorithm: Exclude<Algorithm, HmacAlgorithm>,
  key: KeyObject,
  input: string,
  signature: Buffer,
): boolean {
  const data = Buffer.from(input, 'latin1');
  switch (algorithm) {
    case 'EdDSA':
      return verify(null, data, key, signature);
    case 'ES256': // RFC 7518, section 3.4: R ‖ S of 32 bytes each, not DER
      return signature.length === 64 && verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'RS256':
      return verify('sha256', data, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
  }
}

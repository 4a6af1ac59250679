import { constants, createHmac, type KeyObject, sign, verify } from 'node:crypto';

import type { Algorithm } from '#verifier';

/**
 * The signature of a JWS signing input, by Node's own cryptography and at once: a promise would
 * wait behind password hashes in libuv's pool (docs/adr/0002).
 */
export function signInput(algorithm: Algorithm, key: KeyObject, input: string): Buffer {
  if (algorithm.startsWith('HS')) return hmac(algorithm, key, input);
  return sign(digestOf(algorithm), Buffer.from(input), options(algorithm, key));
}

/** Whether one half of a key pair verifies what the other one signs. */
export function isPair(algorithm: Algorithm, signKey: KeyObject, verifyKey: KeyObject): boolean {
  const input = 'a pair';
  return verify(
    digestOf(algorithm),
    Buffer.from(input),
    options(algorithm, verifyKey),
    signInput(algorithm, signKey, input),
  );
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

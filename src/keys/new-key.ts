import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { type Algorithm, importJwk, type Jwk } from '#verifier';

/** All that a key may be for. */
export const algorithms = ['EdDSA', 'ES256', 'RS256', 'HS256', 'HS384', 'HS512'] as const satisfies Algorithm[];

const RSA_BITS = 2048; // RFC 7518, section 3.3: the least; each bit more costs time at every sign-in

/** A fresh key with its id: the thumbprint of a key pair (RFC 7638), of a shared key one that tells nothing. */
export function newKey(algorithm: Algorithm): { kid: string; jwk: Jwk } {
  for (;;) {
    const jwk = { ...materialOf(algorithm), alg: algorithm };
    const { kid } = importJwk(jwk);
    if (!kid.startsWith('-')) return { kid, jwk }; // the command line would take it for an option
  }
}

function materialOf(algorithm: Algorithm): Jwk {
  switch (algorithm) {
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: RSA_BITS }).privateKey.export({ format: 'jwk' });
    case 'HS256':
    case 'HS384':
    case 'HS512': // RFC 7518, section 3.2: as long as the hash
      return { kty: 'oct', k: randomBytes(Number(algorithm.slice(2)) / 8).toString('base64url') };
  }
}

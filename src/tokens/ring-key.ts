import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import { importJwk, type Jwk, sharedKey, VerifierConfigError, type VerifyKey } from '#verifier';

import { isPair } from './jws.js';

/** A public key as the JWKS shows it (RFC 7517, section 4). */
export type PublicJwk = JsonWebKey & { readonly kid: string; readonly alg: string; readonly use: 'sig' };

/** A key of the ring. Each serves one algorithm (RFC 8725, section 3.1). */
export interface RingKey extends VerifyKey {
  /** The private or shared key; null where the ring only verifies with it. */
  readonly signKey: KeyObject | null;
  /** The public half as a JWK; null for a shared key, which is never published. */
  readonly publicJwk: PublicJwk | null;
  /** The only audience that it signs for and is believed for; null: any. */
  readonly audience: string | null;
}

export type SigningKey = RingKey & { readonly signKey: KeyObject };

export const canSign = (key: RingKey): key is SigningKey => key.signKey !== null;

/** @throws VerifierConfigError, or an error of node:crypto, where it is weak, malformed, off its curve or no pair */
export function importRingKey(jwk: Jwk, audience: string | null = null): RingKey {
  const key = importJwk(jwk);
  if (jwk.kty === 'oct') return { ...key, signKey: key.verifyKey, publicJwk: null, audience };
  const signKey = jwk.d ? createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }) : null;
  // A JWK whose parts are of two keys imports all the same, and what it signs nobody believes.
  if (signKey && !isPair(key.algorithm, signKey, key.verifyKey))
    throw new VerifierConfigError('the private part of a key does not fit its public part');
  const { kid, algorithm } = key;
  const publicJwk = { ...key.verifyKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' as const };
  return { ...key, signKey, publicJwk, audience };
}

export type HmacAlgorithm = Parameters<typeof sharedKey>[0]['alg'];

/** @throws VerifierConfigError where it is too short */
export function secretRingKey(alg: HmacAlgorithm, secret: string): SigningKey {
  const key = sharedKey({ alg, secret });
  return { ...key, signKey: key.verifyKey, publicJwk: null, audience: null };
}

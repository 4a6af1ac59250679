import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { exportJWK, type JWK } from 'jose';

import { importJwk, sharedKey, VerifierConfigError, type VerifyKey } from '#verifier';

import { type Config, ConfigError } from '../config/config.js';

/** A key of the ring. Each serves one algorithm (RFC 8725, section 3.1). */
export interface RingKey extends VerifyKey {
  /** The private or shared key; null where the ring only verifies with it. */
  readonly signKey: KeyObject | null;
  /** The public half as a JWK; null for a shared key, which is never published. */
  readonly publicJwk: JWK | null;
}

/** The keys of access tokens: one signs, all verify. Prepared once, at start. */
export class KeyRing {
  private readonly byKid = new Map<string, RingKey>();

  constructor(
    readonly signing: RingKey & { readonly signKey: KeyObject },
    others: readonly RingKey[] = [],
  ) {
    for (const key of [signing, ...others]) {
      if (this.byKid.has(key.kid)) throw new ConfigError([`JWT_KEYS_FILE names the kid ${key.kid} twice`]);
      this.byKid.set(key.kid, key);
    }
  }

  find(kid: string): RingKey | undefined {
    return this.byKid.get(kid);
  }

  /** RFC 7517: public keys alone. With shared keys only, none. */
  publicJwks(): { keys: JWK[] } {
    return { keys: [...this.byKid.values()].flatMap((key) => key.publicJwk ?? []) };
  }
}

/** Makes the ring from the configuration. @throws ConfigError that shows no key. */
export async function loadKeyRing({ algorithm, secret, keysFile }: Config['tokens']): Promise<KeyRing> {
  const fromFile = keysFile ? await readKeys(keysFile) : [];
  if (algorithm.startsWith('HS') && secret !== '')
    return new KeyRing(ofSecret(algorithm as HmacAlgorithm, secret), fromFile);
  const signing = fromFile.find((key) => key.algorithm === algorithm && key.signKey);
  if (!signing?.signKey) throw new ConfigError([`JWT_KEYS_FILE holds no private key for ${algorithm}`]);
  return new KeyRing(
    { ...signing, signKey: signing.signKey },
    fromFile.filter((key) => key !== signing),
  );
}

type HmacAlgorithm = Parameters<typeof sharedKey>[0]['alg'];

function ofSecret(alg: HmacAlgorithm, secret: string): RingKey & { signKey: KeyObject } {
  const key = sharedKey({ alg, secret });
  return { ...key, signKey: key.verifyKey, publicJwk: null };
}

async function readKeys(file: string): Promise<RingKey[]> {
  let jwks: { keys?: unknown };
  try {
    jwks = JSON.parse(await readFile(file, 'utf8')) as { keys?: unknown };
  } catch {
    throw new ConfigError(['JWT_KEYS_FILE cannot be read as a JWK Set']);
  }
  if (!Array.isArray(jwks.keys) || jwks.keys.length === 0) throw new ConfigError(['JWT_KEYS_FILE holds no keys']);
  return Promise.all(jwks.keys.map((jwk, index) => importKey(jwk as JWK, index)));
}

async function importKey(jwk: JWK, index: number): Promise<RingKey> {
  try {
    const key = importJwk(jwk);
    if (jwk.kty === 'oct') return { ...key, signKey: key.verifyKey, publicJwk: null };
    const signKey = jwk.d ? createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }) : null;
    const { kid, algorithm } = key;
    const publicJwk = { ...(await exportJWK(key.verifyKey)), kid, alg: algorithm, use: 'sig' };
    return { ...key, signKey, publicJwk };
  } catch (error) {
    const what = error instanceof VerifierConfigError ? error.message : 'is not a valid key';
    throw new ConfigError([`JWT_KEYS_FILE, key ${index + 1}: ${what}`]);
  }
}

import { createHmac, createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';

import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';

import { type Config, ConfigError } from '../config/config.js';
import { minSecretBytes } from '../config/secrets.js';
import type { Algorithm } from './jws.js';

/** RFC 7518, section 3.3. */
const MIN_RSA_BITS = 2048;

/** A key of the ring. Each serves one algorithm (RFC 8725, section 3.1). */
export interface RingKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  /** The private or shared key; null where the ring only verifies with it. */
  readonly signKey: KeyObject | null;
  readonly verifyKey: KeyObject;
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
    return new KeyRing(sharedKey(algorithm, Buffer.from(secret)), fromFile);
  const signing = fromFile.find((key) => key.algorithm === algorithm && key.signKey);
  if (!signing?.signKey) throw new ConfigError([`JWT_KEYS_FILE holds no private key for ${algorithm}`]);
  return new KeyRing(
    { ...signing, signKey: signing.signKey },
    fromFile.filter((key) => key !== signing),
  );
}

/** A shared key. Its id is an HMAC under the key itself, so that it is stable and tells nothing. */
function sharedKey(algorithm: Algorithm, secret: Buffer, kid?: string): RingKey & { signKey: KeyObject } {
  const key = createSecretKey(secret);
  const derivedKid = createHmac('sha256', key).update('latchkey kid').digest('base64url').slice(0, 16);
  return { kid: kid ?? derivedKid, algorithm, signKey: key, verifyKey: key, publicJwk: null };
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
  const mistake = (what: string) => new ConfigError([`JWT_KEYS_FILE: key ${index + 1} ${what}`]);
  const algorithm = algorithmOf(jwk);
  if (!algorithm) throw mistake('names no algorithm that fits it (HS256, HS384, HS512, ES256, EdDSA, RS256)');
  if (jwk.kty === 'oct') {
    const secret = Buffer.from(jwk.k ?? '', 'base64url');
    if (secret.length < minSecretBytes(algorithm))
      throw mistake(`must be at least ${minSecretBytes(algorithm)} bytes long`);
    return sharedKey(algorithm, secret, jwk.kid);
  }
  try {
    const signKey = jwk.d ? createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }) : null;
    const verifyKey = createPublicKey(signKey ?? { key: jwk as JsonWebKey, format: 'jwk' });
    if ((verifyKey.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS) < MIN_RSA_BITS)
      throw mistake(`must have at least ${MIN_RSA_BITS} bits`);
    const publicHalf = await exportJWK(verifyKey);
    const kid = jwk.kid ?? (await calculateJwkThumbprint(publicHalf));
    return { kid, algorithm, signKey, verifyKey, publicJwk: { ...publicHalf, kid, alg: algorithm, use: 'sig' } };
  } catch (error) {
    throw error instanceof ConfigError ? error : mistake('is not a valid key');
  }
}

type JsonWebKey = import('node:crypto').JsonWebKey;

function algorithmOf({ kty, crv, alg }: JWK): Algorithm | null {
  if (kty === 'EC' && crv === 'P-256' && (alg ?? 'ES256') === 'ES256') return 'ES256';
  if (kty === 'OKP' && crv === 'Ed25519' && ['EdDSA', 'Ed25519'].includes(alg ?? 'EdDSA')) return 'EdDSA';
  if (kty === 'RSA' && (alg ?? 'RS256') === 'RS256') return 'RS256';
  if (kty === 'oct' && ['HS256', 'HS384', 'HS512'].includes(alg ?? 'HS256')) return (alg ?? 'HS256') as Algorithm;
  return null;
}

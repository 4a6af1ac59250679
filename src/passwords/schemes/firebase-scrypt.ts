import { createCipheriv, timingSafeEqual } from 'node:crypto';

import { type PasswordScheme, UnusableHashError } from './password-scheme.js';
import { deriveScrypt, requireAffordableScrypt, type ScryptCost } from './scrypt.js';
import { decodeBase64, matchStored, NUMBER } from './stored-hash.js';

const NAME = 'firebase-scrypt';
const SALT_BYTES = [1, 64] as const;
const SEPARATOR_BYTES = [0, 32] as const;
const KEY_BYTES = [32, 128] as const;
const CIPHER_KEY_BYTES = 32;
const ZERO_IV = Buffer.alloc(16);

const PATTERN = new RegExp(
  String.raw`^\$fbscrypt\$v=1,n=(${NUMBER}),r=(${NUMBER}),p=(${NUMBER})(?:,ss=([A-Za-z0-9+/_-]{0,43}={0,2}))?` +
    String.raw`,sk=([A-Za-z0-9+/_-]{43,171}={0,2})\$([A-Za-z0-9+/_-]{2,86}={0,2})\$([A-Za-z0-9+/_-]{43,171}={0,2})$`,
);

/**
 * Firebase's modified scrypt (github.com/firebase/scrypt) in the form that supabase documents:
 * `$fbscrypt$v=1,n=14,r=8,p=1,ss=<separator>,sk=<signer key>$salt$hash`. The hash is the project's
 * signer key in AES-256-CTR, under the key that scrypt makes of password, salt and separator.
 * The ceilings are scrypt's.
 */
export const firebaseScryptScheme: PasswordScheme = {
  name: NAME,

  recognises: (stored) => stored.startsWith('$fbscrypt$'),

  inspect: (stored) => void parse(stored),

  async verify(password, stored) {
    const { cost, signerKey, salt, digest } = parse(stored);
    const cipherKey = await deriveScrypt(password, salt, cost, CIPHER_KEY_BYTES);
    return timingSafeEqual(createCipheriv('aes-256-ctr', cipherKey, ZERO_IV).update(signerKey), digest);
  },
};

interface ParsedFirebase {
  readonly cost: ScryptCost;
  readonly signerKey: Buffer;
  /** The user's and the project's separator. */
  readonly salt: Buffer;
  readonly digest: Buffer;
}

function parse(stored: string): ParsedFirebase {
  const [logN, r, p, separator, key, salt, hash] = matchStored(NAME, PATTERN, stored);
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  const signerKey = decode(key, KEY_BYTES);
  const digest = decode(hash, KEY_BYTES);
  requireAffordableScrypt(NAME, cost);
  const fullSalt = Buffer.concat([decode(salt, SALT_BYTES), decode(separator, SEPARATOR_BYTES)]);
  if (digest.length !== signerKey.length) throw new UnusableHashError(NAME, 'malformed');
  return { cost, signerKey, salt: fullSalt, digest };
}

/** The Firebase CLI exports the common alphabet, the Admin SDK that for URLs. */
const decode = (text: string, bytes: readonly [number, number]): Buffer =>
  decodeBase64(NAME, text.replaceAll('-', '+').replaceAll('_', '/'), bytes);

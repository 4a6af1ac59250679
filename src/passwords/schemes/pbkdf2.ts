import { pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

import { type PasswordScheme, UnusableHashError } from './password-scheme.js';
import { decodeBase64, matchStored, NUMBER, requireAffordable } from './stored-hash.js';

type Digest = 'sha1' | 'sha256' | 'sha512';

/**
 * Ceilings: iterations times blocks of output (RFC 8018, section 5.2). Each is 1 to 2 s of CPU, and 3 s
 * without SHA instructions. OWASP asks for 1,300,000, 600,000 and 210,000; Django 5.2 does 1,000,000.
 */
export const PBKDF2_MAX_ROUNDS: Readonly<Record<Digest, number>> = {
  sha1: 4_000_000,
  sha256: 4_000_000,
  sha512: 2_000_000,
};

const NAME = 'pbkdf2';
const BLOCK_BYTES: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha512: 64 };
const SALT_BYTES = [1, 128] as const;
const KEY_BYTES = [16, 128] as const;

/** `$pbkdf2-sha256$i=N,l=L$salt$hash` of the PHC string format, and passlib's `$pbkdf2-sha256$N$salt$hash`. */
const PHC = new RegExp(
  String.raw`^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=(${NUMBER})(?:,l=(${NUMBER}))?|(${NUMBER}))` +
    String.raw`\$([A-Za-z0-9+./]{2,171}={0,2})\$([A-Za-z0-9+./]{22,171}={0,2})$`,
);

/** Django's, whose salt is text. */
const DJANGO = new RegExp(
  String.raw`^pbkdf2_(sha1|sha256|sha512)\$(${NUMBER})\$([!-#%-~]{1,128})\$([A-Za-z0-9+/]{22,171}={0,2})$`,
);

interface ParsedPbkdf2 {
  readonly digest: Digest;
  readonly iterations: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** PBKDF2 (RFC 8018) with HMAC of SHA-1, SHA-256 or SHA-512, as the PHC format, passlib and Django write it. */
export const pbkdf2Scheme: PasswordScheme = {
  name: NAME,

  recognises: (stored) => /^(\$pbkdf2[$-]|pbkdf2_)/.test(stored),

  inspect: (stored) => void parse(stored),

  async verify(password, stored) {
    const { digest, iterations, salt, key } = parse(stored);
    return timingSafeEqual(await promisify(pbkdf2)(password, salt, iterations, key.length, digest), key);
  },
};

function parse(stored: string): ParsedPbkdf2 {
  const parsed = stored.startsWith('$') ? parsePhc(stored) : parseDjango(stored);
  const rounds = parsed.iterations * Math.ceil(parsed.key.length / BLOCK_BYTES[parsed.digest]);
  requireAffordable(NAME, rounds <= PBKDF2_MAX_ROUNDS[parsed.digest]);
  return parsed;
}

function parsePhc(stored: string): ParsedPbkdf2 {
  const [digest, phcIterations, phcLength, iterations, salt, keyText] = matchStored(NAME, PHC, stored);
  const key = decodeAdapted(keyText, KEY_BYTES);
  if (phcLength && Number(phcLength) !== key.length) throw new UnusableHashError(NAME, 'malformed');
  return {
    digest: (digest || 'sha1') as Digest,
    iterations: Number(phcIterations || iterations),
    salt: decodeAdapted(salt, SALT_BYTES),
    key,
  };
}

function parseDjango(stored: string): ParsedPbkdf2 {
  const [digest, iterations, salt, key] = matchStored(NAME, DJANGO, stored);
  return {
    digest: digest as Digest,
    iterations: Number(iterations),
    salt: Buffer.from(salt),
    key: decodeBase64(NAME, key, KEY_BYTES),
  };
}

/** passlib writes `.` for `+`. */
const decodeAdapted = (text: string, bytes: readonly [number, number]): Buffer =>
  decodeBase64(NAME, text.replaceAll('.', '+'), bytes);

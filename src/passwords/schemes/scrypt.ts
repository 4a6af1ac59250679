import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

import { type PasswordScheme, UnusableHashError } from './password-scheme.js';
import { decodeBase64, matchStored, NUMBER, requireAffordable } from './stored-hash.js';

/** RFC 7914, section 2. `logN` is the binary logarithm of N. */
export interface ScryptCost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** Ceilings: the memory, with room for N = 2^17 and r = 8, and what is mixed in all lanes together, some 2 s of CPU. */
export const SCRYPT_MAX_MEMORY_BYTES = 129 * 1024 * 1024;
export const SCRYPT_MAX_MIXED_BYTES = 512 * 1024 * 1024;
export const SCRYPT_MAX_PARALLELISM = 16;
/** PBKDF2 makes all p·128·r bytes, and runs over them again: many times what is mixed where r is large and N small. */
export const SCRYPT_MAX_BLOCK_SIZE = 64;

const NAME = 'scrypt';
const SALT_BYTES = [0, 64] as const;
const DIGEST_BYTES = [16, 128] as const;

/** passlib's, and the PHC string format's. */
const PATTERN = new RegExp(
  String.raw`^\$scrypt\$ln=(${NUMBER}),r=(${NUMBER}),p=(${NUMBER})\$([A-Za-z0-9+/]{0,86}={0,2})\$([A-Za-z0-9+/]{22,171}={0,2})$`,
);

/** scrypt (RFC 7914) as `$scrypt$ln=…,r=…,p=…$salt$hash`. */
export const scryptScheme: PasswordScheme = {
  name: NAME,

  recognises: (stored) => stored.startsWith('$scrypt$'),

  inspect: (stored) => void parse(stored),

  async verify(password, stored) {
    const { cost, salt, digest } = parse(stored);
    return timingSafeEqual(await deriveScrypt(password, salt, cost, digest.length), digest);
  },
};

function parse(stored: string): { cost: ScryptCost; salt: Buffer; digest: Buffer } {
  const [logN, r, p, saltText, digestText] = matchStored(NAME, PATTERN, stored);
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  requireAffordableScrypt(NAME, cost);
  return { cost, salt: decodeBase64(NAME, saltText, SALT_BYTES), digest: decodeBase64(NAME, digestText, DIGEST_BYTES) };
}

/** @throws UnusableHashError in the name of `scheme` where the cost is beyond the ceilings, or none of scrypt's */
export function requireAffordableScrypt(scheme: string, { logN, r, p }: ScryptCost): void {
  requireAffordable(
    scheme,
    r <= SCRYPT_MAX_BLOCK_SIZE &&
      p <= SCRYPT_MAX_PARALLELISM &&
      memoryOf({ logN, r, p }) <= SCRYPT_MAX_MEMORY_BYTES &&
      128 * 2 ** logN * r * p <= SCRYPT_MAX_MIXED_BYTES,
  );
  if (logN >= 16 * r) throw new UnusableHashError(scheme, 'malformed'); // RFC 7914, section 2: N < 2^(128·r/8)
}

/** For a cost that {@link requireAffordableScrypt} let pass. */
export async function deriveScrypt(password: string, salt: Buffer, cost: ScryptCost, length: number): Promise<Buffer> {
  const { logN, r, p } = cost;
  return scryptAsync(password, salt, length, { N: 2 ** logN, r, p, maxmem: memoryOf(cost) });
}

/** In bytes, as OpenSSL counts it: N blocks of 128·r bytes, one for each lane, and two for work. */
const memoryOf = ({ logN, r, p }: ScryptCost): number => 128 * r * (2 ** logN + p + 2);

const scryptAsync = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);

import { timingSafeEqual } from 'node:crypto';

import { argon2Threads } from './argon2-threads.js';
import { type PasswordScheme, UnusableHashError } from './password-scheme.js';
import { decodeBase64, matchStored, NUMBER, requireAffordable } from './stored-hash.js';

/** How much work one Argon2id hash is. */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly time: number;
  readonly parallelism: number;
}

/** Ceilings, for stored hashes and for new ones. All three at once cost some 2.5 s of CPU. */
export const ARGON2_MAX_MEMORY_KIB = 262_144;
export const ARGON2_MAX_TIME = 20;
export const ARGON2_MAX_PARALLELISM = 16;

const NAME = 'argon2';
const SALT_BYTES = [8, 64] as const;
const DIGEST_BYTES = [16, 128] as const;

/** What `hashArgon2id` makes (RFC 9106, section 4). */
const NEW_SALT_BYTES = 16;
const NEW_DIGEST_BYTES = 32;

/** The numbers that the library knows them by. */
const ALGORITHMS = { argon2d: 0, argon2i: 1, argon2id: 2 } as const;
const VERSIONS = { '16': 0, '19': 1 } as const;

/** The PHC string format's; without `v` it is version 16, from before the version was written. */
const PATTERN = new RegExp(
  String.raw`^\$(argon2(?:id|i|d))(?:\$v=(16|19))?\$([mtp])=(${NUMBER}),([mtp])=(${NUMBER}),([mtp])=(${NUMBER})` +
    String.raw`\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,171})$`,
);

interface ParsedArgon2 extends Argon2Cost {
  readonly algorithm: keyof typeof ALGORITHMS;
  readonly version: keyof typeof VERSIONS;
  readonly salt: Buffer;
  readonly digest: Buffer;
}

/** Argon2id, Argon2i and Argon2d (RFC 9106) in PHC form. */
export const argon2Scheme: PasswordScheme = {
  name: NAME,

  recognises: (stored) => stored.startsWith('$argon2'),

  inspect: (stored) => void parseAffordable(stored),

  async verify(password, stored) {
    const { algorithm, version, salt, digest, ...cost } = parseAffordable(stored);
    const computed = await argon2Threads.hashRaw(prepare(password), {
      algorithm: ALGORITHMS[algorithm],
      version: VERSIONS[version],
      memoryCost: cost.memoryKib,
      timeCost: cost.time,
      parallelism: cost.parallelism,
      salt,
      outputLen: digest.length,
    });
    return timingSafeEqual(computed, digest);
  },
};

/** Hashes the password with a new salt, as a PHC string. @throws RangeError where the cost is beyond the ceilings */
export async function hashArgon2id(password: string, cost: Argon2Cost): Promise<string> {
  if (!isAffordable(cost)) throw new RangeError('the cost of new Argon2id hashes is beyond what may be verified');
  return argon2Threads.hash(prepare(password), {
    algorithm: ALGORITHMS.argon2id,
    version: VERSIONS['19'],
    memoryCost: cost.memoryKib,
    timeCost: cost.time,
    parallelism: cost.parallelism,
    outputLen: NEW_DIGEST_BYTES,
  });
}

/** Whether `stored` is what `hashArgon2id` makes at this very cost. If not, a right password is to be hashed anew. */
export function isCurrentArgon2id(stored: string, cost: Argon2Cost): boolean {
  try {
    const parsed = parse(stored);
    return (
      parsed.algorithm === 'argon2id' &&
      parsed.version === '19' &&
      parsed.memoryKib === cost.memoryKib &&
      parsed.time === cost.time &&
      parsed.parallelism === cost.parallelism &&
      parsed.salt.length >= NEW_SALT_BYTES &&
      parsed.digest.length >= NEW_DIGEST_BYTES
    );
  } catch (error) {
    if (error instanceof UnusableHashError) return false;
    throw error;
  }
}

/** One password, typed on two keyboards, may arrive composed or not (NIST SP 800-63B, 3.1.1.2). */
const prepare = (password: string): Buffer => Buffer.from(password.normalize('NFC'));

function parse(stored: string): ParsedArgon2 {
  const [algorithm, version, ...rest] = matchStored(NAME, PATTERN, stored);
  const [salt, digest] = rest.slice(6);
  const parameters = new Map([0, 2, 4].map((at) => [rest[at], Number(rest[at + 1])]));
  const memoryKib = parameters.get('m');
  const time = parameters.get('t');
  const parallelism = parameters.get('p');
  // One of them twice leaves another out. RFC 9106, section 3.1: at least eight blocks a lane.
  if (!memoryKib || !time || !parallelism || memoryKib < 8 * parallelism)
    throw new UnusableHashError(NAME, 'malformed');
  return {
    algorithm: algorithm as ParsedArgon2['algorithm'],
    version: (version || '16') as ParsedArgon2['version'],
    memoryKib,
    time,
    parallelism,
    salt: decodeBase64(NAME, salt, SALT_BYTES),
    digest: decodeBase64(NAME, digest, DIGEST_BYTES),
  };
}

function parseAffordable(stored: string): ParsedArgon2 {
  const parsed = parse(stored);
  requireAffordable(NAME, isAffordable(parsed));
  return parsed;
}

function isAffordable({ memoryKib, time, parallelism }: Argon2Cost): boolean {
  return memoryKib <= ARGON2_MAX_MEMORY_KIB && time <= ARGON2_MAX_TIME && parallelism <= ARGON2_MAX_PARALLELISM;
}

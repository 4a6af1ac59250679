import { hash, timingSafeEqual } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

import { type PasswordScheme, UnusableHashError } from './password-scheme.js';
import { matchStored, requireAffordable } from './stored-hash.js';

/** 2^18 rounds are some 0.25 s of CPU for a password of usual length. WordPress and phpBB wrote 2^11 to 2^13. */
export const PHPASS_MAX_LOG_ROUNDS = 18;

const NAME = 'phpass';
const MIN_LOG_ROUNDS = 7;
const HIGHEST_LOG_ROUNDS = 30;
/** phpass refuses longer ones itself. */
const MAX_PASSWORD_BYTES = 4096;
const DIGEST_BYTES = 16;

/** MD5 runs on the main thread; after each slice others have their turn. */
const SLICE_MS = 2;
const ROUNDS_A_LOOK_AT_THE_CLOCK = 128;

const ITOA64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PATTERN = /^\$[PH]\$([./0-9A-Za-z])([./0-9A-Za-z]{8})([./0-9A-Za-z]{21}[./01])$/;

/** phpass's portable hashes (openwall.com/phpass): `$P$` of WordPress and others, `$H$` of phpBB 3. */
export const phpassScheme: PasswordScheme = {
  name: NAME,

  recognises: (stored) => /^\$[PH]\$/.test(stored),

  inspect: (stored) => void parse(stored),

  async verify(password, stored) {
    const { logRounds, salt, digest } = parse(stored);
    const bytes = Buffer.from(password);
    if (bytes.length > MAX_PASSWORD_BYTES) return false;
    const computed = encode64(await stretch(bytes, salt, 2 ** logRounds));
    return timingSafeEqual(Buffer.from(computed), Buffer.from(digest));
  },
};

function parse(stored: string): { logRounds: number; salt: string; digest: string } {
  const [count, salt, digest] = matchStored(NAME, PATTERN, stored);
  const logRounds = ITOA64.indexOf(count);
  if (logRounds < MIN_LOG_ROUNDS || logRounds > HIGHEST_LOG_ROUNDS) throw new UnusableHashError(NAME, 'malformed');
  requireAffordable(NAME, logRounds <= PHPASS_MAX_LOG_ROUNDS);
  return { logRounds, salt, digest };
}

/** MD5(salt ‖ password), then `rounds` times MD5(digest ‖ password). */
async function stretch(password: Buffer, salt: string, rounds: number): Promise<Buffer> {
  const state = Buffer.concat([Buffer.alloc(DIGEST_BYTES), password]);
  // As hex: the one-shot function makes a string cheaper than a buffer.
  state.write(hash('md5', Buffer.concat([Buffer.from(salt), password]), 'hex'), 'hex');
  let sliceEnd = performance.now() + SLICE_MS;
  for (let round = 1; round <= rounds; round++) {
    state.write(hash('md5', state, 'hex'), 'hex');
    if (round % ROUNDS_A_LOOK_AT_THE_CLOCK === 0 && performance.now() >= sliceEnd) {
      await setImmediate();
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  return state.subarray(0, DIGEST_BYTES);
}

/** Each three bytes as four characters, lowest bits first; the last byte alone as two. */
function encode64(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = bytes.subarray(at, at + 3);
    const value = group.readUIntLE(0, group.length);
    for (let digit = 0; digit <= group.length; digit++) text += ITOA64[(value >> (6 * digit)) & 63];
  }
  return text;
}

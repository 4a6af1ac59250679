import { timingSafeEqual } from 'node:crypto';

import type { PasswordScheme } from './password-scheme.js';
import { deriveScrypt } from './scrypt.js';
import { matchStored } from './stored-hash.js';

const NAME = 'better-auth';
const COST = { logN: 14, r: 16, p: 1 };
const PATTERN = /^([0-9a-f]{32}):([0-9a-f]{128})$/;

/**
 * better-auth's own: scrypt of one cost as `salt:key` in hexadecimal. The salt is the text of its digits, not the
 * bytes they stand for, and the password counts in NFKC.
 */
export const betterAuthScheme: PasswordScheme = {
  name: NAME,

  recognises: (stored) => /^[0-9a-f]{32}:/.test(stored),

  inspect: (stored) => void matchStored(NAME, PATTERN, stored),

  async verify(password, stored) {
    const [salt, key] = matchStored(NAME, PATTERN, stored);
    const digest = Buffer.from(key, 'hex');
    const computed = await deriveScrypt(password.normalize('NFKC'), Buffer.from(salt), COST, digest.length);
    return timingSafeEqual(computed, digest);
  },
};

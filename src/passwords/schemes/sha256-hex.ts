import { createHash, timingSafeEqual } from 'node:crypto';

import type { PasswordScheme } from './password-scheme.js';
import { matchStored } from './stored-hash.js';

const NAME = 'sha256';
const PATTERN = /^([0-9a-fA-F]{64})$/;

/** A bare SHA-256 of the password (FIPS 180-4), as 64 hexadecimal digits in either case. */
export const sha256HexScheme: PasswordScheme = {
  name: NAME,

  recognises: (stored) => PATTERN.test(stored),

  inspect: (stored) => void matchStored(NAME, PATTERN, stored),

  // eslint-disable-next-line @typescript-eslint/require-await -- a broken hash rejects, as in every scheme
  async verify(password, stored) {
    const digest = Buffer.from(matchStored(NAME, PATTERN, stored)[0], 'hex');
    return timingSafeEqual(createHash('sha256').update(password).digest(), digest);
  },
};

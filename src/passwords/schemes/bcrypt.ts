import { verify } from '@node-rs/bcrypt';

import { type PasswordScheme, UnusableHashError } from './password-scheme.js';
import { matchStored, requireAffordable } from './stored-hash.js';

/** The scheme knows costs from 4 to 31, each twice the one before; 15 is some 2 s of CPU. */
export const BCRYPT_MAX_COST = 15;

const NAME = 'bcrypt';
const MIN_COST = 4;
const HIGHEST_COST = 31;

/** The last characters of salt and digest are those that leave no bit beyond the last byte set. */
const PATTERN = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/;

/**
 * bcrypt as OpenBSD's `$2b$`, which `$2a$` and crypt_blowfish's `$2y$` equal for all that is text
 * in UTF-8. `$2x$`, made by a faulty crypt_blowfish, is refused. As everywhere, only the first 72
 * bytes count. A password with a NUL fits nothing: C ends there, others hash on, and PHP and Python refuse.
 */
export const bcryptScheme: PasswordScheme = {
  name: NAME,

  recognises: (stored) => /^\$2[abxy]?\$/.test(stored),

  inspect(stored) {
    const cost = Number(matchStored(NAME, PATTERN, stored)[0]);
    if (cost < MIN_COST || cost > HIGHEST_COST) throw new UnusableHashError(NAME, 'malformed');
    requireAffordable(NAME, cost <= BCRYPT_MAX_COST);
  },

  async verify(password, stored) {
    bcryptScheme.inspect(stored);
    const fits = await verify(Buffer.from(password), stored);
    return fits && !password.includes('\0');
  },
};

import { createHash, timingSafeEqual } from 'node:crypto';

import { type PasswordScheme, UnusableHashError } from './password-scheme.js';
import { decodeBase64, matchStored } from './stored-hash.js';

const NAME = 'ldap-sha';
const DIGESTS: Readonly<Record<string, { algorithm: string; bytes: number }>> = {
  '': { algorithm: 'sha1', bytes: 20 },
  '256': { algorithm: 'sha256', bytes: 32 },
  '512': { algorithm: 'sha512', bytes: 64 },
};
const MAX_SALT_BYTES = 64;

/** The names of schemes have no case (RFC 2307, section 5.3). */
const PATTERN = /^\{(S?)SHA(256|512|)\}([A-Z0-9+/]{27,171}={0,2})$/i;

/** LDAP's `{SHA}` and the salted `{SSHA}` (RFC 2307), and OpenLDAP's like of SHA-256 and SHA-512. */
export const ldapShaScheme: PasswordScheme = {
  name: NAME,

  recognises: (stored) => /^\{S?SHA(256|512|)\}/i.test(stored),

  inspect: (stored) => void parse(stored),

  // eslint-disable-next-line @typescript-eslint/require-await -- a broken hash rejects, as in every scheme
  async verify(password, stored) {
    const { algorithm, bytes, value } = parse(stored);
    const computed = createHash(algorithm).update(password).update(value.subarray(bytes)).digest();
    return timingSafeEqual(computed, value.subarray(0, bytes));
  },
};

/** The digest of `bytes`, and the salt behind it. */
function parse(stored: string): { algorithm: string; bytes: number; value: Buffer } {
  const [salted, size, text] = matchStored(NAME, PATTERN, stored);
  const { algorithm, bytes } = DIGESTS[size];
  // Padding is a must unless said otherwise (RFC 4648, section 3.2).
  if (text.length % 4 !== 0) throw new UnusableHashError(NAME, 'malformed');
  const value = decodeBase64(NAME, text, salted ? [bytes + 1, bytes + MAX_SALT_BYTES] : [bytes, bytes]);
  return { algorithm, bytes, value };
}

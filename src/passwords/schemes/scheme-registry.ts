import { argon2Scheme } from './argon2id.js';
import { bcryptScheme } from './bcrypt.js';
import { betterAuthScheme } from './better-auth.js';
import { firebaseScryptScheme } from './firebase-scrypt.js';
import { ldapShaScheme } from './ldap-sha.js';
import type { PasswordScheme } from './password-scheme.js';
import { pbkdf2Scheme } from './pbkdf2.js';
import { phpassScheme } from './phpass.js';
import { scryptScheme } from './scrypt.js';
import { sha256HexScheme } from './sha256-hex.js';

/** The usual ones first. No text is recognised by two. */
export const SCHEMES: readonly PasswordScheme[] = [
  argon2Scheme,
  bcryptScheme,
  scryptScheme,
  firebaseScryptScheme,
  betterAuthScheme,
  pbkdf2Scheme,
  phpassScheme,
  ldapShaScheme,
  sha256HexScheme,
];

/** The scheme that `stored` is of; null for a text that is no known hash. */
export function findScheme(stored: string): PasswordScheme | null {
  return SCHEMES.find((scheme) => scheme.recognises(stored)) ?? null;
}

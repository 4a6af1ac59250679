import { createHash } from 'node:crypto';

import { z } from 'zod';

import { PERMISSIONS } from '../access/permissions.js';
import { roleName } from '../access/role-name.js';
import { newId } from '../common/ids.js';
import { UnusableHashError } from '../passwords/schemes/password-scheme.js';
import { findScheme } from '../passwords/schemes/scheme-registry.js';
import { attributes, type Attributes } from '../users/attributes.js';
import { canonicalName } from '../users/canonical-name.js';
import { email, username } from '../users/users.schemas.js';
import { type AccountCandidate, RowFault, type TotpSeed } from './account-candidate.js';

const MAX_ROLES = 20;
const MAX_SEEDS = 10;
const MAX_SEED_NAME = 64;
const MAX_EXTERNAL_ID = 128;
/** March 1973; as seconds, the year 5138. */
const MIN_MILLIS = 1e11;

/** An account that may be written as it is. */
export interface AccountRow {
  readonly line: number;
  readonly id: string;
  readonly username: string;
  readonly usernameCanonical: string;
  readonly email: string;
  readonly emailCanonical: string;
  readonly emailVerified: boolean;
  readonly passwordHash: string | null;
  readonly totp: readonly TotpSeed[];
  readonly roles: readonly string[];
  readonly isActive: boolean;
  readonly mustChangePassword: boolean;
  readonly createdAt: Date;
  readonly attributes: Attributes;
}

/** What decides whether an account may be written, besides the account. */
export interface RowRules {
  readonly now: Date;
  /** The roles that there are, with what they allow. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  /** What roles of the file are called here; '' leaves one out. */
  readonly roleMap: ReadonlyMap<string, string>;
  readonly createRoles: boolean;
  readonly allowPrivileged: boolean;
  readonly allowNoPassword: boolean;
  readonly keepIds: boolean;
}

/** Holds a candidate against the rules of this service. @throws RowFault at the first one that it breaks */
export function toAccountRow(candidate: AccountCandidate, line: number, rules: RowRules): AccountRow {
  const address = check(email, candidate.email, 'email');
  const emailCanonical = canonicalName(address);
  const name = usernameOf(candidate.username, address, emailCanonical);
  const createdAt = timeOf(candidate.createdAt, rules.now);
  if (candidate.totp.length > MAX_SEEDS) throw new RowFault('totp', `must be at most ${MAX_SEEDS}`);
  return {
    line,
    id: rules.keepIds ? check(uuid, candidate.id, 'id').toLowerCase() : newId(createdAt),
    username: name,
    usernameCanonical: canonicalName(name),
    email: address,
    emailCanonical,
    emailVerified: candidate.emailVerified,
    passwordHash: hashOf(candidate.passwordHash, rules),
    totp: candidate.totp.map(({ seed, name: label }) => ({ seed, name: labelOf(label) })),
    roles: rolesOf(candidate.roles, rules),
    isActive: candidate.isActive,
    mustChangePassword: candidate.mustChangePassword,
    createdAt,
    attributes: attributesOf(candidate, rules),
  };
}

const uuid = z.uuid('must be a UUID');

function check<T>(schema: z.ZodType<T>, value: unknown, field: string): T {
  const parsed = schema.safeParse(value ?? undefined);
  if (parsed.success) return parsed.data;
  throw new RowFault(field, parsed.error.issues[0].message);
}

/**
 * A name that is missing or is the account's own address is derived from the address: what stands before the @, with a
 * dash for all that no username may hold, and eight digits of the address's SHA-256, since many have `info`.
 */
function usernameOf(given: unknown, address: string, emailCanonical: string): string {
  if (given !== undefined && given !== null && given !== '') {
    if (typeof given !== 'string' || canonicalName(given) !== emailCanonical) return check(username, given, 'username');
  }
  const mark = createHash('sha256').update(emailCanonical).digest('hex').slice(0, 8);
  const local = address
    .slice(0, address.lastIndexOf('@'))
    .normalize('NFKC')
    .replace(/[^\p{L}\p{M}\p{N}._-]/gu, '-')
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .slice(0, 55);
  return check(username, `${local || 'user'}-${mark}`, 'username');
}

/** Form and cost alone: no work is done, and none that costs too much is let in. */
function hashOf(hash: string | null, { allowNoPassword }: RowRules): string | null {
  if (hash === null) {
    if (allowNoPassword) return null;
    throw new RowFault('password_hash', 'is missing (--allow-no-password imports such accounts too)');
  }
  const scheme = findScheme(hash);
  if (!scheme) throw new RowFault('password_hash', 'is of no scheme that is known here');
  try {
    scheme.inspect(hash);
  } catch (error) {
    if (!(error instanceof UnusableHashError)) throw error;
    throw new RowFault('password_hash', error.message);
  }
  return hash;
}

function rolesOf(given: readonly unknown[], rules: RowRules): string[] {
  const mapped = given.map((role) => (typeof role === 'string' ? (rules.roleMap.get(role) ?? role) : role));
  const names = [...new Set(mapped.filter((role) => role !== ''))]
    .map((role) => check(roleName, role, 'roles'))
    .toSorted();
  if (names.length > MAX_ROLES) throw new RowFault('roles', `must be at most ${MAX_ROLES}`);
  for (const name of names) {
    const permissions = rules.roles.get(name);
    if (!permissions && !rules.createRoles)
      throw new RowFault('roles', `there is no role ${name} (--create-roles makes those that are missing)`);
    if (permissions?.some((permission) => permission in PERMISSIONS) && !rules.allowPrivileged) {
      throw new RowFault('roles', `the role ${name} may administer this service (--allow-privileged lets it be given)`);
    }
  }
  return names;
}

/** What the old system called the account stays known, unless it is its id here too. */
function attributesOf({ attributes: given, id }: AccountCandidate, { keepIds }: RowRules): Attributes {
  // Exact no longer since it was read: another account may have the same.
  if (typeof id === 'number' && !Number.isSafeInteger(id)) {
    throw new RowFault('id', 'is a number that is not exact: write it as text');
  }
  const external = (typeof id === 'string' || typeof id === 'number') && !keepIds ? String(id) : '';
  if (external.length > MAX_EXTERNAL_ID) throw new RowFault('id', `must be at most ${MAX_EXTERNAL_ID} characters long`);
  return check(attributes, { ...given, ...(external !== '' && { external_id: external }) }, 'attributes');
}

/** Apps label what they make; a label that could not be shown is none. */
function labelOf(label: string | null): string | null {
  const shown = label?.trim().slice(0, MAX_SEED_NAME).toWellFormed();
  return shown && !shown.includes('\0') ? shown : null;
}

function timeOf(given: unknown, now: Date): Date {
  if (given === undefined || given === null || given === '') return now;
  const isMillis = typeof given === 'number' || (typeof given === 'string' && /^\d{1,15}$/.test(given));
  if (isMillis && Number(given) < MIN_MILLIS) throw new RowFault('created_at', 'must be in milliseconds, or ISO 8601');
  const time = new Date(isMillis ? Number(given) : typeof given === 'string' ? given : NaN);
  if (!(time.getTime() >= 0 && time.getTime() <= now.getTime())) {
    throw new RowFault('created_at', 'must be a time since 1970 and not to come: ISO 8601, or milliseconds');
  }
  return time;
}

import { type AccountCandidate, RowFault, type TotpSeed } from '../account-candidate.js';
import type { JsonObject } from '../reading/file-record.js';
import type { ImportFormat } from './import-format.js';
import { flag, objectOf, optionalText, rolesOf, seedOfBase32 } from './values.js';

const MEMBERS = [
  'id',
  'username',
  'email',
  'email_verified',
  'password_hash',
  'totp',
  'roles',
  'is_active',
  'must_change_password',
  'created_at',
  'org_id',
  'attributes',
] as const;

const unknownMember = (names: readonly string[]): string | undefined =>
  names.find((name) => !(MEMBERS as readonly string[]).includes(name));

/** Names of members come from the file, and what is shown goes to a terminal: nothing in one is to steer it. */
const shownName = (name: string): string =>
  /^[\w.-]{1,64}$/.test(name)
    ? name
    : JSON.stringify(name.slice(0, 64)).replace(
        /[^ -~]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );

/** The service's own form, as CSV or JSON Lines: docs/import.md has the members. A name that is none of them is a mistake. */
export const ownFormat: ImportFormat = {
  name: 'latchkey',
  title: 'CSV or JSON Lines with the members of docs/import.md',
  accountSections: [],
  partSections: {},
  csvColumns: null,

  checkColumns(names) {
    const unknown = unknownMember(names);
    if (unknown !== undefined) {
      // A file without a header begins with an account: its fields are nobody's to see.
      if (!/^[a-z_]{1,32}$/i.test(unknown)) return `the first row names no columns: there are ${MEMBERS.join(', ')}`;
      return `there is no column ${JSON.stringify(unknown)}: there are ${MEMBERS.join(', ')}`;
    }
    if (new Set(names).size < names.length) return 'a column is there twice';
    const missing = ['email', 'password_hash'].filter((name) => !names.includes(name));
    return missing.length > 0 ? `the column ${missing.join(' and ')} is missing` : null;
  },

  read(record): AccountCandidate {
    const unknown = unknownMember(Object.keys(record));
    if (unknown !== undefined) throw new RowFault(shownName(unknown), 'is not a known member');
    const orgId = optionalText(record, 'org_id');
    return {
      id: record.id,
      username: record.username,
      email: record.email,
      emailVerified: flag(record, 'email_verified'),
      passwordHash: optionalText(record, 'password_hash'),
      totp: seedsOf(record),
      roles: rolesOf(record.roles ?? 'user'),
      isActive: record.is_active === undefined || record.is_active === null || flag(record, 'is_active'),
      mustChangePassword: flag(record, 'must_change_password'),
      createdAt: record.created_at,
      attributes: { ...objectOf(record, 'attributes'), ...(orgId !== null && { org_id: orgId }) },
      leftBehind: [],
    };
  },
};

/** One seed, or several: in an array, or with spaces between in CSV. */
function seedsOf({ totp }: JsonObject): TotpSeed[] {
  if (totp === undefined || totp === null || totp === '') return [];
  const seeds: unknown[] = typeof totp === 'string' ? totp.split(/\s+/) : [totp].flat();
  return seeds.map((seed) => seedOfBase32(seed, null));
}

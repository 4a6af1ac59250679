import { type AccountCandidate, RowFault, type TotpSeed } from '../account-candidate.js';
import { isObject, type JsonObject } from '../reading/file-record.js';
import type { ImportFormat } from './import-format.js';
import { flag, objectOf, objectsOf, optionalText, rolesOf, seedOfBase32, textOf } from './values.js';

/** auth0: JSON Lines or an array, as its support exports passwords (`passwordHash`) or as its bulk import takes them. */
export const auth0Format: ImportFormat = {
  name: 'auth0',
  title: 'users as JSON Lines or JSON, as exported with hashes or as for a bulk import',
  accountSections: ['users'],
  partSections: {},

  read(record): AccountCandidate {
    const app = objectOf(record, 'app_metadata');
    const factors = objectsOf(record, 'mfa_factors');
    return {
      id: idOf(record),
      username: record.username,
      email: record.email,
      emailVerified: flag(record, 'email_verified'),
      passwordHash: hashOf(record),
      totp: factors.filter(({ totp }) => totp !== undefined).map(seedOf),
      roles: ['user', ...rolesOf(app.roles, 'app_metadata')],
      isActive: !flag(record, 'blocked'),
      mustChangePassword: false,
      createdAt: record.created_at,
      attributes: typeof app.org_id === 'string' ? { org_id: app.org_id } : {},
      leftBehind: factors.flatMap((factor) => Object.keys(factor)).filter((kind) => kind !== 'totp'),
    };
  },
};

/** `_id` of an export is MongoDB's own: `{"$oid":"…"}`. */
function idOf(record: JsonObject): unknown {
  const id = record.user_id ?? record._id;
  return isObject(id) ? id.$oid : id;
}

const seedOf = ({ totp }: JsonObject): TotpSeed =>
  seedOfBase32(isObject(totp) ? totp.secret : undefined, null, 'mfa_factors');

/** @throws RowFault */
function hashOf(record: JsonObject): string | null {
  const bcrypt = optionalText(record, 'passwordHash') ?? optionalText(record, 'password_hash');
  if (bcrypt !== null) return bcrypt;
  const custom = objectOf(record, 'custom_password_hash');
  const hash = objectOf(custom, 'hash');
  const value = optionalText(hash, 'value');
  if (value === null) return null;
  switch (custom.algorithm) {
    case 'argon2':
    case 'bcrypt':
    case 'pbkdf2':
    case 'ldap':
      return value; // in the forms that the registry knows
    case 'scrypt':
      return scryptOf(custom, bytesOf(value, hash.encoding));
    case 'sha256':
      if (custom.salt !== undefined) break;
      return bytesOf(value, hash.encoding).toString('hex');
  }
  throw new RowFault('custom_password_hash', 'an algorithm, or a salt for it, that is not taken here');
}

/** As `$scrypt$ln=…,r=…,p=…$salt$hash`. @throws RowFault */
function scryptOf(custom: JsonObject, digest: Buffer): string {
  const salt = objectOf(custom, 'salt');
  const logN = Math.log2(Number(textOf(custom.cost)));
  if (!Number.isInteger(logN)) throw new RowFault('custom_password_hash', 'the cost of scrypt must be a power of two');
  const salted = bytesOf(optionalText(salt, 'value') ?? '', salt.encoding ?? 'utf8');
  const cost = `ln=${logN},r=${textOf(custom.blockSize)},p=${textOf(custom.parallelization)}`;
  return `$scrypt$${cost}$${salted.toString('base64')}$${digest.toString('base64')}`;
}

/** Hexadecimal unless said otherwise. @throws RowFault */
function bytesOf(text: string, encoding: unknown): Buffer {
  if (encoding === 'base64' || encoding === 'utf8') return Buffer.from(text, encoding);
  if (encoding === undefined || encoding === 'hex') return Buffer.from(text, 'hex');
  throw new RowFault('custom_password_hash', 'an encoding that is not known');
}

import type { AccountCandidate } from '../account-candidate.js';
import type { JsonObject } from '../reading/file-record.js';
import type { FormatOptions, ImportFormat, Parts } from './import-format.js';
import { flag, objectsOf, optionalText, rolesOf } from './values.js';

/**
 * better-auth: `{"user":[…],"account":[…]}`, the rows of its tables; or one user a line, with its accounts in `accounts`. Seeds of
 * authenticator apps are encrypted with a secret of the old application, so they stay behind.
 */
export const betterAuthFormat: ImportFormat = {
  name: 'better-auth',
  title: 'rows of the tables user and account as JSON',
  accountSections: ['user', 'users'],
  partSections: { account: 'userId', accounts: 'userId', twoFactor: 'userId' },

  read(record, parts, options): AccountCandidate {
    const accounts = [...objectsOf(record, 'accounts'), ...(parts.account ?? []), ...(parts.accounts ?? [])];
    const credential = accounts.find((account) => member(account, 'providerId', 'provider_id') === 'credential');
    return {
      id: record.id,
      username: optionalText(record, 'displayUsername') ?? optionalText(record, 'username'),
      email: record.email,
      emailVerified: flag(record, 'emailVerified' in record ? 'emailVerified' : 'email_verified'),
      passwordHash: credential ? optionalText(credential, 'password') : null,
      totp: [],
      roles: ['user', ...rolesOf(record.role, 'role')],
      isActive: !isBanned(record, options),
      mustChangePassword: false,
      createdAt: member(record, 'createdAt', 'created_at'),
      attributes: {},
      leftBehind: hasSecondFactor(record, parts) ? ['totp'] : [],
    };
  },
};

/** Tables that Drizzle or SQL name in snake case. */
const member = (record: JsonObject, camel: string, snake: string): unknown => record[camel] ?? record[snake];

function isBanned(record: JsonObject, { now }: FormatOptions): boolean {
  const until = member(record, 'banExpires', 'ban_expires');
  const isOver = (typeof until === 'string' || typeof until === 'number') && new Date(until) <= now;
  return flag(record, 'banned') && !isOver;
}

function hasSecondFactor(record: JsonObject, parts: Parts): boolean {
  const enabled = 'twoFactorEnabled' in record ? 'twoFactorEnabled' : 'two_factor_enabled';
  return flag(record, enabled) || (parts.twoFactor ?? []).length > 0;
}

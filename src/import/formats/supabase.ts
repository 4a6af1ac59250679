import type { AccountCandidate, TotpSeed } from '../account-candidate.js';
import type { JsonObject } from '../reading/file-record.js';
import type { FormatOptions, ImportFormat, Parts } from './import-format.js';
import { flag, objectOf, objectsOf, optionalText, rolesOf, seedOfBase32, textOf } from './values.js';

/**
 * supabase: rows of `auth.users` as CSV, JSON or JSON Lines, with their rows of `auth.mfa_factors` where they were exported.
 * Roles and organisation come from `raw_app_meta_data`, which users cannot write, never from `raw_user_meta_data`, which they can.
 */
export const supabaseFormat: ImportFormat = {
  name: 'supabase',
  title: 'rows of auth.users as CSV, JSON or JSON Lines',
  accountSections: ['users'],
  partSections: { mfa_factors: 'user_id' },
  csvColumns: null,

  checkColumns(names) {
    const missing = ['email', 'encrypted_password'].filter((name) => !names.includes(name));
    return missing.length > 0 ? `the column ${missing.join(' and ')} is missing` : null;
  },

  read(record, parts, options): AccountCandidate | null {
    if (optionalText(record, 'deleted_at') !== null || flag(record, 'is_anonymous')) return null;
    const app = objectOf(record, 'raw_app_meta_data');
    const verifiedAt = optionalText(record, 'email_confirmed_at') ?? optionalText(record, 'confirmed_at');
    return {
      id: record.id,
      email: record.email,
      emailVerified: verifiedAt !== null,
      passwordHash: optionalText(record, 'encrypted_password'),
      ...factorsOf(record, parts),
      roles: ['user', ...rolesOf(app.roles, 'raw_app_meta_data'), ...rolesOf(app.role, 'raw_app_meta_data')],
      isActive: !isBanned(record, options),
      mustChangePassword: false,
      createdAt: record.created_at,
      attributes: typeof app.org_id === 'string' ? { org_id: app.org_id } : {},
    };
  },
};

function isBanned(record: JsonObject, { now }: FormatOptions): boolean {
  const until = optionalText(record, 'banned_until');
  // PostgreSQL writes a ban without an end as `infinity`, which is no date.
  return until !== null && !(Date.parse(until) <= now.getTime());
}

/** Factors that were never verified do not count. */
function factorsOf(record: JsonObject, parts: Parts): { totp: TotpSeed[]; leftBehind: string[] } {
  const factors = [...objectsOf(record, 'mfa_factors'), ...(parts.mfa_factors ?? [])];
  const verified = factors.filter(({ status }) => status === 'verified');
  return {
    totp: verified
      .filter(({ factor_type: type }) => type === 'totp')
      .map((factor) => seedOfBase32(factor.secret, optionalText(factor, 'friendly_name'), 'mfa_factors')),
    leftBehind: verified.map(({ factor_type: type }) => textOf(type)).filter((type) => type !== 'totp'),
  };
}

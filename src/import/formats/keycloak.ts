import { type AccountCandidate, RowFault, type TotpSeed } from '../account-candidate.js';
import { isObject, type JsonObject } from '../reading/file-record.js';
import type { ImportFormat } from './import-format.js';
import {
  flag,
  objectOf,
  objectsOf,
  optionalText,
  requireUsualTotp,
  rolesOf,
  seedOfBase32,
  seedOfBytes,
  textOf,
  withoutPadding,
} from './values.js';

/** What Keycloak gives everybody for itself. */
const OWN_ROLES = /^(offline_access|uma_authorization|default-roles-.*)$/;
const PBKDF2: Readonly<Record<string, string>> = {
  pbkdf2: 'sha1',
  'pbkdf2-sha256': 'sha256',
  'pbkdf2-sha512': 'sha512',
};
const ARGON2_VERSIONS: Readonly<Record<string, string>> = { '1.0': '16', '1.3': '19' };

/** Keycloak: an export of a realm with its users (`kc.sh export --users realm_file`, or the files `<realm>-users-<n>.json`). */
export const keycloakFormat: ImportFormat = {
  name: 'keycloak',
  title: 'a realm export with users',
  accountSections: ['users'],
  partSections: {},

  read(record): AccountCandidate | null {
    if (optionalText(record, 'serviceAccountClientId') !== null) return null;
    const credentials = objectsOf(record, 'credentials');
    const password = credentials.find(({ type }) => type === 'password');
    const actions = Array.isArray(record.requiredActions) ? (record.requiredActions as unknown[]) : [];
    return {
      id: record.id,
      username: record.username,
      email: record.email,
      emailVerified: flag(record, 'emailVerified'),
      passwordHash: password ? hashOf(password) : null,
      totp: credentials.filter(({ type }) => type === 'otp').map(seedOf),
      roles: ['user', ...rolesOf(record.realmRoles, 'realmRoles').filter((role) => !OWN_ROLES.test(textOf(role)))],
      isActive: flag(record, 'enabled'),
      mustChangePassword: actions.includes('UPDATE_PASSWORD') || (password ? flag(password, 'temporary') : false),
      createdAt: record.createdTimestamp,
      attributes: orgIdOf(record),
      leftBehind: credentials.map(({ type }) => textOf(type)).filter((type) => type !== 'password' && type !== 'otp'),
    };
  },
};

/** Attributes are lists of texts there. */
function orgIdOf(record: JsonObject): Record<string, unknown> {
  const { org_id: orgId } = objectOf(record, 'attributes');
  const first: unknown = Array.isArray(orgId) ? orgId[0] : orgId;
  return typeof first === 'string' ? { org_id: first } : {};
}

/** In `credentialData` how, in `secretData` what; both as text that holds JSON. @throws RowFault */
function hashOf(credential: JsonObject): string {
  const data = objectOf(credential, 'credentialData');
  const { value, salt } = objectOf(credential, 'secretData');
  const algorithm = textOf(data.algorithm);
  if (typeof value !== 'string') throw new RowFault('credentials', 'a password without its hash');
  if (algorithm === 'bcrypt') return value; // of an extension: the hash has its salt in it
  const iterations = textOf(data.hashIterations);
  const [salted, key] = [withoutPadding(textOf(salt)), withoutPadding(value)];
  if (algorithm in PBKDF2) return `$pbkdf2-${PBKDF2[algorithm]}$i=${iterations}$${salted}$${key}`;
  if (algorithm !== 'argon2') throw new RowFault('credentials', 'a password of an algorithm that is not known here');
  const parameters = isObject(data.additionalParameters) ? data.additionalParameters : {};
  const of = (name: string): string => textOf([parameters[name]].flat()[0]);
  const version = ARGON2_VERSIONS[of('version')];
  return `$argon2${of('type')}$v=${version}$m=${of('memory')},t=${iterations},p=${of('parallelism')}$${salted}$${key}`;
}

/** The seed is the bytes of the text itself, unless it is said to be base32. @throws RowFault */
function seedOf(credential: JsonObject): TotpSeed {
  const data = objectOf(credential, 'credentialData');
  const { value } = objectOf(credential, 'secretData');
  if (data.subType !== 'totp') throw new RowFault('credentials', 'only time-based codes are taken here');
  requireUsualTotp(data.algorithm, data.digits, data.period, 'credentials');
  const name = optionalText(credential, 'userLabel');
  if (data.secretEncoding === 'BASE32') return seedOfBase32(value, name, 'credentials');
  return seedOfBytes(Buffer.from(typeof value === 'string' ? value : ''), name, 'credentials');
}

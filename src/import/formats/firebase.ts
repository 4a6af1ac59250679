import { type AccountCandidate, RowFault } from '../account-candidate.js';
import type { JsonObject } from '../reading/file-record.js';
import type { FirebaseHashing, ImportFormat } from './import-format.js';
import { flag, objectOf, objectsOf, optionalText, rolesOf } from './values.js';

/** `auth:export` writes no header. Between the photo and the times stand four columns for each of four providers. */
const COLUMNS = [
  'localId',
  'email',
  'emailVerified',
  'passwordHash',
  'salt',
  'displayName',
  'photoUrl',
  ...Array.from({ length: 16 }, (_, at) => `provider${at}`),
  'createdAt',
  'lastSignedInAt',
  'phoneNumber',
  'disabled',
  'customAttributes',
];

/** Firebase Authentication: `firebase auth:export`, as JSON or CSV. */
export const firebaseFormat: ImportFormat = {
  name: 'firebase',
  title: 'firebase auth:export as JSON or CSV',
  accountSections: ['users'],
  partSections: {},
  csvColumns: COLUMNS,

  read(record, _parts, { firebase }): AccountCandidate {
    const claims = objectOf(record, 'customAttributes');
    const factors = objectsOf(record, 'mfaInfo');
    return {
      id: record.localId,
      email: record.email,
      emailVerified: flag(record, 'emailVerified'),
      passwordHash: hashOf(record, firebase),
      totp: [],
      roles: ['user', ...rolesOf(claims.roles, 'customAttributes'), ...rolesOf(claims.role, 'customAttributes')],
      isActive: !flag(record, 'disabled'),
      mustChangePassword: false,
      createdAt: record.createdAt,
      attributes: typeof claims.org_id === 'string' ? { org_id: claims.org_id } : {},
      leftBehind: factors.map((factor) => ('totpInfo' in factor ? 'totp' : 'phone')), // exports hold no seeds
    };
  },
};

/** With the project's parameters in it, as the registry of schemes has it. @throws RowFault */
function hashOf(record: JsonObject, hashing: FirebaseHashing | null): string | null {
  const hash = optionalText(record, 'passwordHash');
  if (hash === null) return null;
  if (!hashing) throw new RowFault('passwordHash', 'the hash parameters of the project are needed: --firebase-hash');
  const { rounds, memoryCost, saltSeparator, signerKey } = hashing;
  const salt = optionalText(record, 'salt') ?? '';
  return `$fbscrypt$v=1,n=${memoryCost},r=${rounds},p=1,ss=${saltSeparator},sk=${signerKey}$${salt}$${hash}`;
}

import fc from 'fast-check';

import { RowFault } from '../account-candidate.js';
import { type RowRules, toAccountRow } from '../account-row.js';
import { FORMATS } from './formats.js';

const NAMES = [
  ...[
    'id',
    'username',
    'email',
    'email_verified',
    'password_hash',
    'totp',
    'roles',
    'is_active',
    'created_at',
    'attributes',
    'org_id',
  ],
  ...[
    'encrypted_password',
    'raw_app_meta_data',
    'mfa_factors',
    'banned_until',
    'deleted_at',
    'secret',
    'status',
    'factor_type',
  ],
  ...[
    'accounts',
    'providerId',
    'password',
    'banned',
    'banExpires',
    'role',
    'realmRoles',
    'credentials',
    'type',
    'credentialData',
  ],
  ...[
    'secretData',
    'value',
    'salt',
    'algorithm',
    'hashIterations',
    'additionalParameters',
    'requiredActions',
    'subType',
    'digits',
  ],
  ...[
    'localId',
    'passwordHash',
    'customAttributes',
    'mfaInfo',
    'user_id',
    '_id',
    '$oid',
    'custom_password_hash',
    'hash',
    'encoding',
  ],
  ...['cost', 'blockSize', 'app_metadata', 'blocked', 'toString', 'valueOf', '__proto__', 'constructor'],
];
const WORDS = [
  '',
  'totp',
  'otp',
  'password',
  'verified',
  'credential',
  'argon2',
  'scrypt',
  'sha256',
  'pbkdf2-sha256',
  'x@example.com',
  '{}',
  '[{}]',
  '{"a":',
  'true',
  '\0',
];

const now = new Date();
const rules: RowRules = {
  now,
  roles: new Map([['user', []]]),
  roleMap: new Map(),
  createRoles: true,
  allowPrivileged: false,
  allowNoPassword: true,
  keepIds: false,
};

describe.each(FORMATS.map((format) => [format.name, format] as const))('%s', (_name, format) => {
  const { record } = fc.letrec((tie) => ({
    record: fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { noNullPrototype: true }),
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(...WORDS, null, true, false, 0, 1, -1, 1e300),
      fc.string({ unit: 'binary', maxLength: 20 }),
      tie('record'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  }));

  it('reads any JSON as an account, as none, or says what is wrong with it', () => {
    fc.assert(
      fc.property(record, (value) => {
        const read = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
        try {
          const candidate = format.read(read, {}, { now, firebase: null });
          if (candidate) expect(toAccountRow(candidate, 1, rules).email).toBe(candidate.email);
        } catch (error) {
          if (!(error instanceof RowFault)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});

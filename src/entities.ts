import { AuditEvent } from './audit/audit-event.entity.js';
import { Role } from './access/role.entity.js';
import { Client } from './clients/client.entity.js';
import { ClientSecret } from './clients/client-secret.entity.js';
import { SpentAssertion } from './clients/spent-assertion.entity.js';
import { UserImport } from './import/user-import.entity.js';
import { HalfWaySignIn } from './mfa/half-way-sign-in.entity.js';
import { Passkey } from './mfa/passkey.entity.js';
import { RecoveryCode } from './mfa/recovery-code.entity.js';
import { SpentChallenge } from './mfa/spent-challenge.entity.js';
import { TotpAuthenticator } from './mfa/totp-authenticator.entity.js';
import { LoginCounter } from './protection/login-counter.entity.js';
import { Revocation } from './revocations/revocation.entity.js';
import { Session } from './sessions/session.entity.js';
import { StoredKey } from './tokens/signing-key.entity.js';
import { OneTimeLink } from './users/one-time-link.entity.js';
import { UserDevice } from './sessions/user-device.entity.js';
import { User } from './users/user.entity.js';

/** Every table that a feature reads through TypeORM; a test holds them against the migrations. */
export const entities = [
  User,
  OneTimeLink,
  Role,
  Session,
  UserDevice,
  TotpAuthenticator,
  RecoveryCode,
  Passkey,
  HalfWaySignIn,
  SpentChallenge,
  Client,
  ClientSecret,
  SpentAssertion,
  LoginCounter,
  Revocation,
  StoredKey,
  UserImport,
  AuditEvent,
];

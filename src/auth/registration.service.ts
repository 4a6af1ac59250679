import { Injectable } from '@nestjs/common';

import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { EMAIL_TAKEN, USERNAME_TAKEN } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { type DeviceAtSignIn, deviceOfSession } from '../sessions/device.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { canonicalName } from '../users/canonical-name.js';
import { PasswordPolicy } from '../passwords/policy/password-policy.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { type Account, UsersRepository } from '../users/users.repository.js';
import type { RegisterRequest } from './auth.schemas.js';
import type { SignedIn } from './signed-in.js';
import { weakPassword } from './weak-password.js';

/** Makes accounts. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly database: Database,
    private readonly users: UsersRepository,
    private readonly sessions: SessionsService,
    private readonly refreshTokens: RefreshTokens,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes the account and its first session, both or neither.
   * @param replaced The refresh token that this browser held before: its session ends (ASVS 7.2.4).
   * @throws Problem `weak_password`, `username_taken`, `email_taken`, `overloaded`
   */
  async register(
    { username, email, password }: RegisterRequest,
    deviceShown: DeviceAtSignIn,
    replaced: string | null,
    source: RequestSource,
  ): Promise<SignedIn> {
    const [usernameCanonical, emailCanonical] = [canonicalName(username), canonicalName(email)];
    // Spares the hash where a name is taken; the unique indexes decide below.
    if (await this.users.findByCanonicalName(usernameCanonical)) throw new Problem(USERNAME_TAKEN);
    if (await this.users.findByCanonicalName(emailCanonical)) throw new Problem(EMAIL_TAKEN);

    const weakness = await this.policy.weaknessOf(password, { username, email });
    if (weakness) throw weakPassword('password', weakness);
    const passwordHash = await this.hasher.hash(password);
    const now = this.clock.now();
    const id = newId(now);
    const account: Account = {
      id,
      username,
      email,
      email_verified_at: null,
      password_hash: passwordHash,
      roles: ['user'],
      permissions: await this.users.permissionsOfRoles(['user']),
      is_active: true,
      must_change_password: false,
      created_at: now,
    };
    const device = deviceOfSession(deviceShown, false);
    const before = this.refreshTokens.open(replaced);
    const granted = await this.database.transaction(async (tx) => {
      const outcome = await this.users.insert(tx, {
        id,
        username,
        usernameCanonical,
        email,
        emailCanonical,
        emailVerifiedAt: null,
        passwordHash,
        passwordChangedAt: now,
        roles: account.roles,
        isActive: true,
        mustChangePassword: false,
        cutOffAt: null,
        tokensValidFrom: null,
        createdAt: now,
        updatedAt: now,
      });
      if (outcome !== 'inserted') throw new Problem(outcome === 'username_taken' ? USERNAME_TAKEN : EMAIL_TAKEN);
      const begun = await this.sessions.begin(tx, { account, amr: ['pwd'], device, event: 'user.registered' }, source);
      if (before) await this.sessions.endReplaced(tx, before, id, source);
      return begun!;
    });
    return { ...granted, account, device };
  }
}

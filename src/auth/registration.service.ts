import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import { EMAIL_TAKEN, USERNAME_TAKEN } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { SecondFactorPolicy } from '../common/second-factors.js';
import { Database } from '../database/database.js';
import { deviceOfSession } from '../sessions/device.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { canonicalName } from '../users/canonical-name.js';
import { PasswordPolicy } from '../passwords/policy/password-policy.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { newUser } from '../users/new-user.js';
import { type Account, UsersRepository } from '../users/users.repository.js';
import type { RegisterRequest } from './auth.schemas.js';
import { SecondStepService } from './second-step.service.js';
import type { SignedIn, SignedInHalfWay, SignInOrigin } from './signed-in.js';
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
    private readonly audit: AuditLog,
    private readonly secondSteps: SecondStepService,
    private readonly clock: Clock,
    private readonly secondFactors: SecondFactorPolicy,
  ) {}

  /**
   * Makes the account and its first session, both or neither; instead of the session, the set-up of a second factor
   * where the policy asks for one.
   * @throws Problem `weak_password`, `username_taken`, `email_taken`, `overloaded`
   */
  async register(request: RegisterRequest, origin: SignInOrigin): Promise<SignedIn | SignedInHalfWay> {
    try {
      return await this.make(request, origin);
    } catch (error) {
      // After ROLLBACK: the row has to outlive what it tells of.
      if (error instanceof Problem && (error.type === USERNAME_TAKEN || error.type === EMAIL_TAKEN)) {
        const name = canonicalName(error.type === USERNAME_TAKEN ? request.username : request.email);
        const details = { reason: error.type.code, name_hash: this.audit.hashName(name) };
        await this.audit.recordRefusal({ type: 'registration.refused', details }, origin.source);
      }
      throw error;
    }
  }

  private async make(
    { username, email, password }: RegisterRequest,
    { device: shown, browser, replaced, source }: SignInOrigin,
  ): Promise<SignedIn | SignedInHalfWay> {
    // Spares the hash where a name is taken; the unique indexes decide below.
    if (await this.users.findByCanonicalName(canonicalName(username))) throw new Problem(USERNAME_TAKEN);
    if (await this.users.findByCanonicalName(canonicalName(email))) throw new Problem(EMAIL_TAKEN);

    const weakness = await this.policy.weaknessOf(password, { username, email });
    if (weakness) throw weakPassword('password', weakness);
    const passwordHash = await this.hasher.hash(password);
    const now = this.clock.now();
    const roles = ['user'];
    const user = newUser({ username, email, passwordHash, roles }, now);
    const { id } = user;
    const account: Account = {
      id,
      username,
      email,
      email_verified_at: null,
      password_hash: passwordHash,
      roles,
      permissions: await this.users.permissionsOfRoles(roles),
      is_active: true,
      must_change_password: false,
      second_factors: [],
      attributes: {},
      created_at: now,
    };
    const before = this.refreshTokens.open(replaced);
    const device = deviceOfSession(shown, false);
    return this.database.transaction(async (tx) => {
      const outcome = await this.users.insert(tx, user);
      if (outcome !== 'inserted') throw new Problem(outcome === 'username_taken' ? USERNAME_TAKEN : EMAIL_TAKEN);
      if (this.secondFactors.demandsOf(roles)) {
        await this.audit.record(tx, { type: 'user.registered', userId: id, actorId: id }, source);
        return this.secondSteps.ask(
          tx,
          {
            account: { ...account, password_changed_at: now.toISOString() },
            purpose: 'enroll',
            amr: ['pwd'],
            knownAs: null,
            deviceId: device.deviceId,
          },
          browser,
          source,
        );
      }
      const begun = await this.sessions.begin(tx, { account, amr: ['pwd'], device, event: 'user.registered' }, source);
      if (before) await this.sessions.endReplaced(tx, before, id, source);
      return { ...begun!, account, device };
    });
  }
}

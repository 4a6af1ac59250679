import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import type { Principal } from '../common/principal.js';
import { ACCOUNT_LOCKED, INVALID_CREDENTIALS, TOKEN_REVOKED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { Revoker } from '../revocations/revoker.js';
import { type AdmittedAttempt, Lockout } from '../protection/lockout.js';
import { PasswordPolicy } from '../passwords/policy/password-policy.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { UsersRepository } from '../users/users.repository.js';
import type { ChangePasswordRequest } from './auth.schemas.js';
import { weakPassword } from './weak-password.js';

/** Whom every audit row of a change names. */
type Who = { userId: string; actorId: string; sessionId: string };

/** Lets people change their own password. */
@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly database: Database,
    private readonly users: UsersRepository,
    private readonly revoker: Revoker,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly lockout: Lockout,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Changes the password and ends the user's other sessions, both or neither. Returns how many ended.
   * @throws Problem `invalid_credentials`, `account_locked`, `weak_password`, `overloaded`
   */
  async change(
    user: Principal,
    { current_password, new_password }: ChangePasswordRequest,
    source: RequestSource,
  ): Promise<number> {
    const who = { userId: user.userId, actorId: user.userId, sessionId: user.sessionId };
    const account = await this.users.findById(user.userId);
    if (!account) throw new Problem(TOKEN_REVOKED);
    const weakness = await this.policy.weaknessOf(new_password, account, current_password.normalize('NFC'));
    if (weakness) throw weakPassword('new_password', weakness);
    const attempt = await this.admit(who, source);
    let fits = false;
    try {
      fits = await this.hasher.verify(current_password, account.password_hash);
    } catch (error) {
      await this.lockout.retract(attempt); // counted, but not verified
      throw error;
    }
    if (!fits) return this.fail(who, attempt, source);
    const hash = await this.hasher.hash(new_password);
    const ended = await this.database.transaction(async (tx) => {
      const now = this.clock.now();
      if (!(await this.users.replacePasswordHash(tx, user.userId, account.password_hash, hash, now))) return null;
      await this.lockout.succeed(tx, attempt);
      const others = { sessionsOf: user.userId, except: user.sessionId };
      const count = await this.revoker.revoke(tx, others, { reason: 'password_changed', actorId: user.userId }, source);
      await this.audit.record(tx, { ...who, type: 'password.changed', details: { sessions_ended: count } }, source);
      return count;
    });
    // Another change came first, so the current password that was checked is not current any more.
    return ended ?? this.fail(who, attempt, source);
  }

  private async admit(who: Who, source: RequestSource): Promise<AdmittedAttempt> {
    try {
      return await this.lockout.admit(who.userId, { sessionId: who.sessionId });
    } catch (error) {
      if (error instanceof Problem && error.type === ACCOUNT_LOCKED)
        await this.audit.recordAlone({ ...who, type: 'login.refused', details: { reason: 'locked' } }, source);
      throw error;
    }
  }

  private async fail(who: Who, attempt: AdmittedAttempt, source: RequestSource): Promise<never> {
    await this.audit.recordAlone({ ...who, type: 'password.change_failed' }, source);
    if (attempt.locks) await this.audit.recordAlone({ ...who, type: 'login.locked' }, source);
    throw new Problem(INVALID_CREDENTIALS, { detail: 'The current password is wrong.' });
  }
}

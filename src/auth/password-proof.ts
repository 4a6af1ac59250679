import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { AuditEventType } from '../audit/audit-event-types.js';
import { AuditLog } from '../audit/audit-log.js';
import type { Principal } from '../common/principal.js';
import { ACCOUNT_LOCKED, INVALID_CREDENTIALS, TOKEN_REVOKED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { type AdmittedAttempt, Lockout } from '../protection/lockout.js';
import { type Account, UsersRepository } from '../users/users.repository.js';

/** What was asked for besides the password, once that was right. */
type Then<Prepared, T> = {
  /** Before the transaction, such as hashing. */
  prepare?: (account: Account) => Promise<Prepared>;
  /** In the transaction that also clears the counters; null where another change came first. */
  commit: (tx: EntityManager, account: Account, prepared: Prepared) => Promise<T | null>;
};

/** The current password, asked of somebody who is signed in; counted for their session alone. */
@Injectable()
export class PasswordProof {
  constructor(
    private readonly database: Database,
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly lockout: Lockout,
    private readonly audit: AuditLog,
  ) {}

  /** Whose password it is. @throws Problem `token_revoked` where the account is gone */
  async accountOf({ userId }: Principal): Promise<Account> {
    const account = await this.users.findById(userId);
    if (!account) throw new Problem(TOKEN_REVOKED);
    return account;
  }

  /**
   * Checks the password, then does what it was asked for.
   * @param failure The audit event of a wrong one.
   * @throws Problem `invalid_credentials`, `account_locked`, `overloaded`
   */
  async prove<T, Prepared = undefined>(
    user: Principal,
    account: Account,
    password: string,
    failure: AuditEventType,
    source: RequestSource,
    { prepare, commit }: Then<Prepared, T>,
  ): Promise<T> {
    const who = { userId: user.userId, actorId: user.userId, sessionId: user.sessionId };
    const attempt = await this.admit(who, source);
    let outcome: T | null = null;
    try {
      if (await this.hasher.verify(password, account.password_hash))
        outcome = await this.commit(attempt, account, { prepare, commit });
    } catch (error) {
      await this.lockout.retract(attempt); // not verified, or right, and something else was wrong
      throw error;
    }
    if (outcome !== null) return outcome;
    await this.audit.recordAlone({ ...who, type: failure }, source);
    if (attempt.locks) await this.audit.recordAlone({ ...who, type: 'login.locked' }, source);
    throw new Problem(INVALID_CREDENTIALS, { detail: 'The current password is wrong.' });
  }

  private async commit<T, Prepared>(
    attempt: AdmittedAttempt,
    account: Account,
    { prepare, commit }: Then<Prepared, T>,
  ): Promise<T | null> {
    const prepared = (await prepare?.(account)) as Prepared;
    return this.database.transaction(async (tx) => {
      const done = await commit(tx, account, prepared);
      if (done !== null) await this.lockout.succeed(tx, attempt);
      return done;
    });
  }

  private async admit(
    who: { userId: string; actorId: string; sessionId: string },
    source: RequestSource,
  ): Promise<AdmittedAttempt> {
    try {
      return await this.lockout.admit(who.userId, { sessionId: who.sessionId });
    } catch (error) {
      if (error instanceof Problem && error.type === ACCOUNT_LOCKED)
        await this.audit.recordAlone({ ...who, type: 'login.refused', details: { reason: 'locked' } }, source);
      throw error;
    }
  }
}

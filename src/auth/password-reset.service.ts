import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import { TOKEN_INVALID } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { PasswordPolicy } from '../passwords/policy/password-policy.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { Lockout } from '../protection/lockout.js';
import { Revoker } from '../revocations/revoker.js';
import { DevicesRepository } from '../sessions/devices.repository.js';
import { OneTimeLinks } from '../users/one-time-links.repository.js';
import { UsersRepository } from '../users/users.repository.js';
import type { ResetPasswordRequest } from './auth.schemas.js';
import { weakPassword } from './weak-password.js';

const OVER = 'This link was used, has expired, or was replaced by a newer one. Ask for another one.';

/** Lets whoever holds a one-time link choose a password. */
@Injectable()
export class PasswordResetService {
  constructor(
    private readonly database: Database,
    private readonly links: OneTimeLinks,
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly devices: DevicesRepository,
    private readonly revoker: Revoker,
    private readonly lockout: Lockout,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Sets the password and ends all sessions of the account, both or neither. Nobody is signed in by it, so that a
   * second factor is asked for as ever (ASVS 6.4.3). Returns how many sessions ended.
   * @throws Problem `token_invalid`, `weak_password`, `overloaded`
   */
  async reset({ token, new_password }: ResetPasswordRequest, source: RequestSource): Promise<number> {
    const userId = await this.links.ownerOf(token);
    const account = userId === null ? null : await this.users.findById(userId);
    if (!account) throw new Problem(TOKEN_INVALID, { detail: OVER });
    const weakness = await this.policy.weaknessOf(new_password, account);
    if (weakness) throw weakPassword('new_password', weakness);
    const hash = await this.hasher.hash(new_password);
    const who = { userId: account.id, actorId: account.id };
    return this.database.transaction(async (tx) => {
      if (!(await this.links.spend(tx, token))) throw new Problem(TOKEN_INVALID, { detail: OVER });
      await this.users.setPasswordHash(tx, account.id, hash, this.clock.now());
      await this.devices.forgetRemembered(tx, account.id);
      await this.lockout.release(tx, account.id);
      const cause = { reason: 'password_changed', actorId: account.id } as const;
      const ended = await this.revoker.revoke(tx, { sessionsOf: account.id }, cause, source);
      await this.audit.record(tx, { ...who, type: 'password.reset', details: { sessions_ended: ended } }, source);
      return ended;
    });
  }
}

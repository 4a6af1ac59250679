import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import type { Principal } from '../common/principal.js';
import type { RequestSource } from '../common/request-source.js';
import { PasswordPolicy } from '../passwords/policy/password-policy.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { Revoker } from '../revocations/revoker.js';
import { DevicesRepository } from '../sessions/devices.repository.js';
import { UsersRepository } from '../users/users.repository.js';
import type { ChangePasswordRequest } from './auth.schemas.js';
import { PasswordProof } from './password-proof.js';
import { weakPassword } from './weak-password.js';

/** Lets people change their own password. */
@Injectable()
export class PasswordChangeService {
  constructor(
    private readonly proof: PasswordProof,
    private readonly users: UsersRepository,
    private readonly devices: DevicesRepository,
    private readonly revoker: Revoker,
    private readonly hasher: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Changes the password and ends the user's other sessions, both or neither; no browser skips the second step
   * any more. Returns how many sessions ended.
   * @throws Problem `invalid_credentials`, `account_locked`, `weak_password`, `overloaded`
   */
  async change(
    user: Principal,
    { current_password, new_password }: ChangePasswordRequest,
    source: RequestSource,
  ): Promise<number> {
    const { userId, sessionId } = user;
    const account = await this.proof.accountOf(user);
    const weakness = await this.policy.weaknessOf(new_password, account, current_password.normalize('NFC'));
    if (weakness) throw weakPassword('new_password', weakness);
    return this.proof.prove(user, account, current_password, 'password.change_failed', source, {
      prepare: () => this.hasher.hash(new_password),
      commit: async (tx, { password_hash }, hash) => {
        if (!(await this.users.replacePasswordHash(tx, userId, password_hash, hash, this.clock.now()))) return null;
        await this.devices.forgetRemembered(tx, userId);
        const others = { sessionsOf: userId, except: sessionId };
        const cause = { reason: 'password_changed', actorId: userId } as const;
        const count = await this.revoker.revoke(tx, others, cause, source);
        const who = { userId, actorId: userId, sessionId };
        await this.audit.record(tx, { ...who, type: 'password.changed', details: { sessions_ended: count } }, source);
        return count;
      },
    });
  }
}

import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import type { Principal } from '../common/principal.js';
import { EMAIL_TAKEN, TOKEN_REVOKED, USERNAME_TAKEN } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { OneTimeLinks } from '../users/one-time-links.repository.js';
import { type Account, UsersRepository } from '../users/users.repository.js';
import type { ChangeProfileRequest } from './auth.schemas.js';
import { PasswordProof } from './password-proof.js';

/** Lets people change what they are called. */
@Injectable()
export class ProfileService {
  constructor(
    private readonly proof: PasswordProof,
    private readonly users: UsersRepository,
    private readonly links: OneTimeLinks,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Changes the username, the e-mail address, or both. A new address is not verified, and links sent to the old one work no more.
   * @throws Problem `invalid_credentials`, `account_locked`, `username_taken`, `email_taken`, `overloaded`
   */
  async change(
    user: Principal,
    { current_password, username, email }: ChangeProfileRequest,
    source: RequestSource,
  ): Promise<Account> {
    const account = await this.proof.accountOf(user);
    return this.proof.prove(user, account, current_password, 'profile.change_failed', source, {
      commit: async (tx, before) => {
        const outcome = await this.users.rename(tx, user.userId, { username, email }, this.clock.now());
        if (outcome === 'username_taken') throw new Problem(USERNAME_TAKEN);
        if (outcome === 'email_taken') throw new Problem(EMAIL_TAKEN);
        const after = await this.users.findById(user.userId, tx);
        if (!after) throw new Problem(TOKEN_REVOKED);
        const changed = (['username', 'email'] as const).filter((member) => before[member] !== after[member]);
        if (changed.includes('email')) await this.links.cancel(tx, user.userId);
        const who = { userId: user.userId, actorId: user.userId, sessionId: user.sessionId };
        await this.audit.record(tx, { ...who, type: 'profile.changed', details: { changed } }, source);
        return after;
      },
    });
  }
}

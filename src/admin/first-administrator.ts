import { Inject, Injectable } from '@nestjs/common';

import { ADMIN_ROLE } from '../access/permissions.js';
import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import { Logger } from '../common/logging.js';
import { FIRST_START } from '../common/request-source.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { newUser } from '../users/new-user.js';
import { UsersRepository } from '../users/users.repository.js';

/** Makes the administrator that `ADMIN_*` name, where nobody has that role. */
@Injectable()
export class FirstAdministrator {
  constructor(
    private readonly database: Database,
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Of several replicas that start at once, one makes it. Their password must be changed at the first sign-in. */
  async ensure(): Promise<void> {
    const wanted = this.config.firstAdministrator;
    if (!wanted || (await this.users.isGiven(ADMIN_ROLE))) return;
    const passwordHash = await this.hasher.hash(wanted.password.normalize('NFC'));
    const { username, email } = wanted;
    const roles = [ADMIN_ROLE, 'user'];
    const user = newUser({ username, email, passwordHash, roles, mustChangePassword: true }, this.clock.now());
    const outcome = await this.database.transaction(async (tx) => {
      await this.users.lockHolders(tx);
      if (await this.users.isGiven(ADMIN_ROLE, tx)) return null;
      const inserted = await this.users.insert(tx, user);
      if (inserted === 'inserted')
        await this.audit.record(tx, { type: 'user.created', userId: user.id, details: { roles } }, FIRST_START);
      return inserted;
    });
    if (outcome === 'inserted') this.logger.info({ user_id: user.id }, 'the first administrator was made');
    else if (outcome)
      this.logger.error({ reason: outcome }, 'the first administrator was not made: ADMIN_* names somebody else');
  }
}

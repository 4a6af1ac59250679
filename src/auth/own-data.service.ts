import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Administrators } from '../access/administrators.js';
import { AuditLog } from '../audit/audit-log.js';
import { AuditRepository } from '../audit/audit.repository.js';
import { toActivityEvent } from '../audit/audit.schemas.js';
import { Clock } from '../common/clock.js';
import type { Chore } from '../common/janitor.js';
import type { Principal } from '../common/principal.js';
import { TOKEN_REVOKED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { JANITOR, type RequestSource } from '../common/request-source.js';
import { CONFIG, type Config } from '../config/config.js';
import { FactorsService } from '../mfa/factors.service.js';
import { toPasskeyView, toTotpView } from '../mfa/mfa.schemas.js';
import { Lockout } from '../protection/lockout.js';
import { Revoker } from '../revocations/revoker.js';
import { DevicesRepository } from '../sessions/devices.repository.js';
import { toDeviceView } from '../sessions/devices.schemas.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { toSessionView } from '../sessions/sessions.schemas.js';
import { UsersRepository } from '../users/users.repository.js';
import type { OwnData } from './auth.schemas.js';
import { PasswordProof } from './password-proof.js';
import { toUserResponse } from './user-view.js';

const PAGE = 1000;

/** What the service knows of somebody: theirs to take along, and to have deleted. */
@Injectable()
export class OwnDataService implements Chore {
  readonly name = 'accounts that their owners deleted';

  constructor(
    private readonly proof: PasswordProof,
    private readonly users: UsersRepository,
    private readonly sessions: SessionsRepository,
    private readonly devices: DevicesRepository,
    private readonly factors: FactorsService,
    private readonly events: AuditRepository,
    private readonly administrators: Administrators,
    private readonly revoker: Revoker,
    private readonly lockout: Lockout,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** All of it but secrets. @throws Problem `token_revoked` */
  async export(user: { userId: string; sessionId: string | null }, source: RequestSource): Promise<OwnData> {
    const account = await this.users.findById(user.userId);
    if (!account) throw new Problem(TOKEN_REVOKED);
    const { totp, passkeys, recoveryCodesLeft } = await this.factors.list(user.userId);
    const now = this.clock.now();
    const [sessions, devices, activity] = [
      await all((before) => this.sessions.listLive(user.userId, PAGE, before, now)),
      await all((before) => this.devices.list(user.userId, PAGE, before)),
      await all((before) => this.events.listOfUser(user.userId, PAGE, before)),
    ];
    const actorId = user.sessionId === null ? null : user.userId; // else the command line
    await this.audit.recordAlone({ ...user, actorId, type: 'user.exported' }, source);
    return {
      exported_at: now.toISOString(),
      profile: toUserResponse(account),
      second_factors: {
        totp: totp.map(toTotpView),
        passkeys: passkeys.map(toPasskeyView),
        recovery_codes_left: recoveryCodesLeft,
      },
      sessions: sessions.map(toSessionView(user.sessionId)),
      devices: devices.map(toDeviceView(null)),
      activity: activity.map(toActivityEvent),
    };
  }

  /**
   * Ends all sessions now, and deletes the account when the grace is over, unless its owner signs in before. Returns when.
   * @throws Problem `invalid_credentials`, `account_locked`, `last_administrator`, `overloaded`
   */
  async delete(user: Principal, password: string, source: RequestSource): Promise<Date> {
    const { userId, sessionId } = user;
    const account = await this.proof.accountOf(user);
    const at = new Date(this.clock.now().getTime() + this.config.accountDeletionSeconds * 1000);
    return this.proof.prove(user, account, password, 'user.deletion_failed', source, {
      commit: async (tx) => {
        const who = { userId, actorId: userId, sessionId };
        // An administrator who is about to go counts for one no more.
        await this.administrators.keepOne(tx, () => this.users.deleteLater(tx, userId, at));
        await this.devices.forgetRemembered(tx, userId);
        await this.revoker.revoke(tx, { sessionsOf: userId }, { reason: 'account_deleted', actorId: userId }, source);
        await this.audit.record(tx, { ...who, type: 'user.deletion_asked', details: { at: at.toISOString() } }, source);
        if (this.config.accountDeletionSeconds === 0) await this.deleteNow(tx, userId, source);
        return at;
      },
    });
  }

  /** Deletes those whose time has come. */
  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const ids = await this.users.holdThoseToDelete(tx, now, limit);
    for (const id of ids) await this.deleteNow(tx, id, JANITOR);
    return ids.length;
  }

  private async deleteNow(tx: EntityManager, userId: string, source: RequestSource): Promise<void> {
    await this.lockout.release(tx, userId);
    await this.users.remove(tx, userId);
    await this.audit.record(tx, { type: 'user.deleted', userId, actorId: userId }, source);
  }
}

/** All pages of a list. */
async function all<Row extends { id: string }>(read: (before: string | null) => Promise<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for (let before: string | null = null; ; before = rows[rows.length - 1].id) {
    const page = await read(before);
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}

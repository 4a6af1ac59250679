import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import type { Principal } from '../common/principal.js';
import type { RequestSource } from '../common/request-source.js';
import { MULTI_FACTOR } from '../common/second-factors.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import type { RevocationCause } from '../revocations/revocation.js';
import { Revoker } from '../revocations/revoker.js';
import type { Account } from '../users/users.repository.js';
import type { DeviceEvidence } from './device.js';
import { DevicesRepository } from './devices.repository.js';
import { newSalt, type RefreshToken, RefreshTokens, saltHash } from './refresh-token.js';
import { type LiveSession, SessionsRepository } from './sessions.repository.js';

/** A session about to begin. */
export interface Beginning {
  account: Pick<Account, 'id' | 'username' | 'roles' | 'permissions' | 'must_change_password' | 'attributes'> & {
    password_changed_at?: string;
    second_factors?: readonly string[];
  };
  /** How the user proved who they are (RFC 8176). */
  amr: string[];
  device: DeviceEvidence;
  /** The audit event that tells of it. */
  event: 'login.succeeded' | 'user.registered';
  /** The login counters that this success clears. */
  forgive?: readonly Buffer[];
}

/** A session and the refresh token that is live now. */
export interface GrantedSession {
  session: LiveSession;
  refreshToken: string;
}

/** Begins sessions, and ends them for their owners. How one goes on is refresh.service.ts. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly devices: DevicesRepository,
    private readonly refreshTokens: RefreshTokens,
    private readonly revoker: Revoker,
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Begins a session of `account`, within `tx` or in a statement of its own, with the audit row of
   * what began it. Its browser is known from then on. Where the user has too many sessions now, those
   * seen longest ago end. Null where the password was changed or the account disabled since the
   * proof: then nothing is written.
   */
  async begin(tx: EntityManager | null, beginning: Beginning, source: RequestSource): Promise<GrantedSession | null> {
    const { account, amr, device, event, forgive = [] } = beginning;
    const now = this.clock.now();
    const id = newId(now);
    const salt = newSalt();
    const expiresAt = new Date(now.getTime() + this.config.sessions.maxSeconds * 1000);
    const idleExpiresAt = new Date(now.getTime() + this.config.sessions.idleSeconds * 1000);
    const inserted = await this.sessions.insert(tx, {
      id,
      userId: account.id,
      saltHash: saltHash(salt),
      amr,
      deviceId: device.deviceId,
      deviceKey: device.deviceKey,
      ip: source.ip,
      userAgent: source.userAgent,
      now,
      idleExpiresAt,
      expiresAt,
      deviceRowId: newId(now),
      auditId: newId(now),
      event,
      requestId: source.requestId,
      forgive,
      passwordChangedAt: account.password_changed_at ?? null,
      secondFactors: amr.includes(MULTI_FACTOR) ? null : (account.second_factors ?? null),
    });
    if (!inserted) return null;
    if (inserted.live_sessions >= this.config.sessions.maxPerUser) await this.endSurplus(tx, account.id, id, source);
    return {
      refreshToken: this.refreshTokens.mint({ sessionId: id, counter: 0, salt }),
      session: {
        id,
        user_id: account.id,
        counter: 0,
        device_id: device.deviceId,
        amr,
        auth_time: Math.floor(now.getTime() / 1000),
        issued_at: inserted.issued_at,
        refresh_expires_at: Math.floor(Math.min(expiresAt.getTime(), idleExpiresAt.getTime()) / 1000),
        username: account.username,
        roles: account.roles,
        permissions: account.permissions,
        must_change_password: account.must_change_password,
        attributes: account.attributes,
      },
    };
  }

  /** Within `tx`, ends the session that a browser held when one of `userId` began in it (ASVS 7.2.4). */
  async endReplaced(tx: EntityManager, held: RefreshToken, userId: string, source: RequestSource): Promise<void> {
    const target = { session: held.sessionId, saltHash: saltHash(held.salt) };
    await this.revoker.revoke(tx, target, { reason: 'replaced', actorId: userId }, source);
  }

  /** Ends a session of the user's own; false where they have no live one of that id. */
  endOwn(user: Principal, id: string, source: RequestSource): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      if (!(await this.sessions.belongsTo(tx, id, user.userId))) return false;
      const cause: RevocationCause = { reason: 'ended_by_user', actorId: user.userId };
      return (await this.revoker.revoke(tx, { session: id }, cause, source)) === 1;
    });
  }

  /** Ends all of the user's sessions but the one that asks; no other browser skips the second step. Returns how many. */
  endOthers(user: Principal, source: RequestSource): Promise<number> {
    const target = { sessionsOf: user.userId, except: user.sessionId };
    const cause: RevocationCause = { reason: 'ended_by_user', actorId: user.userId };
    return this.database.transaction(async (tx) => {
      const count = await this.revoker.revoke(tx, target, cause, source);
      await this.devices.forgetRemembered(tx, user.userId, user.sessionId);
      return count;
    });
  }

  private async endSurplus(
    tx: EntityManager | null,
    userId: string,
    keptId: string,
    source: RequestSource,
  ): Promise<void> {
    const max = this.config.sessions.maxPerUser;
    if (tx) await this.revoker.revokeSurplus(tx, userId, keptId, max, source);
    else await this.database.transaction((own) => this.revoker.revokeSurplus(own, userId, keptId, max, source));
  }
}

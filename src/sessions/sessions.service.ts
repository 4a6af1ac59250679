import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import type { RequestSource } from '../common/request-source.js';
import { CONFIG, type Config } from '../config/config.js';
import type { Account } from '../users/users.repository.js';
import type { DeviceEvidence } from './device.js';
import { newSalt, type RefreshToken, RefreshTokens, saltHash } from './refresh-token.js';
import { type EndedSession, type LiveSession, SessionsRepository } from './sessions.repository.js';

/** Why a session ended; stored with it and in its audit row. */
export type EndReason = 'logout' | 'replaced' | 'password_changed' | 'refresh_token_reused';

/** A session about to begin. */
export interface Beginning {
  account: Pick<Account, 'id' | 'username' | 'roles' | 'permissions' | 'must_change_password'> & {
    password_changed_at?: string;
  };
  /** How the user proved who they are (RFC 8176). */
  amr: string[];
  device: DeviceEvidence;
  /** The audit event that tells of it. */
  event: 'login.succeeded' | 'user.registered';
  /** The login counters that this success clears. */
  forgive?: readonly Buffer[];
}

export interface EndCause {
  reason: EndReason;
  /** Who ended it; null where nobody proved who they are. */
  actorId: string | null;
}

/** A session and the refresh token that is live now. */
export interface GrantedSession {
  session: LiveSession;
  refreshToken: string;
}

/** Begins and ends sessions. How one goes on is refresh.service.ts. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly refreshTokens: RefreshTokens,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Begins a session of `account`, within `tx` or in a statement of its own, with the audit row of
   * what began it. Its browser is known from then on. Null where the password was changed or the
   * account disabled since the proof: then nothing is written.
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
    });
    if (!inserted) return null;
    return {
      refreshToken: this.refreshTokens.mint({ sessionId: id, counter: 0, salt }),
      session: {
        id,
        user_id: account.id,
        counter: 0,
        device_id: device.deviceId,
        amr,
        auth_time: Math.floor(now.getTime() / 1000),
        refresh_expires_at: Math.floor(Math.min(expiresAt.getTime(), idleExpiresAt.getTime()) / 1000),
        username: account.username,
        roles: account.roles,
        permissions: account.permissions,
        must_change_password: account.must_change_password,
      },
    };
  }

  /** Ends one session within `tx`, with its audit row. Returns how many ended: 0 where it had before. */
  async end(tx: EntityManager, sessionId: string, cause: EndCause, source: RequestSource): Promise<number> {
    return this.recordEnds(
      tx,
      await this.sessions.endOne(tx, sessionId, null, cause.reason, this.clock.now()),
      cause,
      source,
    );
  }

  /** As {@link end}, by a genuine refresh token of the session, live or spent. */
  async endByToken(tx: EntityManager, token: RefreshToken, cause: EndCause, source: RequestSource): Promise<number> {
    const ended = await this.sessions.endOne(tx, token.sessionId, saltHash(token.salt), cause.reason, this.clock.now());
    return this.recordEnds(tx, ended, cause, source);
  }

  /** Ends all sessions of a user but `keptId` within `tx`. Returns how many. */
  async endOthers(
    tx: EntityManager,
    userId: string,
    keptId: string,
    cause: EndCause,
    source: RequestSource,
  ): Promise<number> {
    return this.recordEnds(
      tx,
      await this.sessions.endOthers(tx, userId, keptId, cause.reason, this.clock.now()),
      cause,
      source,
    );
  }

  private async recordEnds(
    tx: EntityManager,
    ended: EndedSession[],
    { reason, actorId }: EndCause,
    source: RequestSource,
  ): Promise<number> {
    for (const { id, user_id } of ended) {
      await this.audit.record(
        tx,
        { type: 'session.ended', userId: user_id, actorId, sessionId: id, details: { reason } },
        source,
      );
    }
    return ended.length;
  }
}

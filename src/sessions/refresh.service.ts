import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_REVOKED } from '../common/problem/catalogue.js';
import { Problem, type ProblemType } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { Revoker } from '../revocations/revoker.js';
import { type DeviceEvidence, isSameDevice } from './device.js';
import { type RefreshToken, RefreshTokens, saltHash } from './refresh-token.js';
import { judgeRefresh, type RefreshVerdict } from './refresh-verdict.js';
import { type LiveSession, type LockedSession, type Rotation, SessionsRepository } from './sessions.repository.js';
import type { GrantedSession } from './sessions.service.js';

/** Goes on with a session: RFC 9700, section 4.14.2, and docs/adr/0001 on what it leaves open. */
@Injectable()
export class RefreshService {
  constructor(
    private readonly database: Database,
    private readonly repository: SessionsRepository,
    private readonly revoker: Revoker,
    private readonly refreshTokens: RefreshTokens,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Spends a refresh token and gives the next. A retry or a lost answer gets its session back; a
   * replayed token ends the session, and that end is committed before the refusal is sent.
   * @param deviceId As the client names its device: a session that was begun with another one is not its.
   * @param device Asked for only where the token is not simply spent.
   * @throws Problem `token_invalid`, `token_expired`, `token_revoked`
   */
  async refresh(
    token: RefreshToken,
    deviceId: string | null,
    device: () => DeviceEvidence,
    source: RequestSource,
  ): Promise<GrantedSession> {
    const now = this.clock.now();
    const rotation: Rotation = {
      sessionId: token.sessionId,
      deviceId,
      counter: token.counter,
      saltHash: saltHash(token.salt),
      now,
      idleExpiresAt: new Date(now.getTime() + this.config.sessions.idleSeconds * 1000),
      ip: source.ip,
      userAgent: source.userAgent,
      requestId: source.requestId,
      auditId: newId(now),
    };
    const session = (await this.repository.rotate(rotation)) ?? (await this.settle(token, rotation, device(), source));
    return { session, refreshToken: this.refreshTokens.mint({ ...token, counter: session.counter }) };
  }

  /** Finds out under the row lock why the token was not simply spent, and does what follows. */
  private async settle(
    token: RefreshToken,
    rotation: Rotation,
    device: DeviceEvidence,
    source: RequestSource,
  ): Promise<LiveSession> {
    const outcome = await this.database.transaction(async (tx): Promise<LiveSession | ProblemType | 'again'> => {
      const session = await this.repository.lock(tx, token.sessionId);
      if (!session?.salt_hash.equals(rotation.saltHash)) return TOKEN_INVALID;
      if (isForeignDevice(session, rotation)) {
        await this.recordRefused(tx, session, 'device', source);
        return TOKEN_INVALID;
      }
      return this.act(tx, this.verdict(token, session, device, rotation.now), session, rotation, source);
    });
    if (outcome === 'again')
      return (await this.repository.rotate(rotation)) ?? this.settle(token, rotation, device, source);
    // Thrown after COMMIT: thrown inside, it would roll the end of the session back.
    if ('code' in outcome) throw new Problem(outcome);
    return outcome;
  }

  private verdict(token: RefreshToken, session: LockedSession, device: DeviceEvidence, now: Date): RefreshVerdict {
    const known = { deviceKey: session.device_key, deviceId: session.device_id, userAgent: session.user_agent };
    return judgeRefresh(
      token.counter,
      {
        counter: session.counter,
        parentCounter: session.parent_counter,
        parentSpentAt: session.parent_spent_at?.getTime() ?? null,
        rotatedAt: session.rotated_at?.getTime() ?? null,
        idleExpiresAt: session.idle_expires_at.getTime(),
        expiresAt: session.expires_at.getTime(),
        endedAt: session.ended_at?.getTime() ?? null,
        userIsActive: session.is_active,
      },
      this.config.sessions,
      isSameDevice(known, device),
      now.getTime(),
    );
  }

  private async act(
    tx: EntityManager,
    verdict: RefreshVerdict,
    session: LockedSession,
    rotation: Rotation,
    source: RequestSource,
  ): Promise<LiveSession | ProblemType | 'again'> {
    const event = { userId: session.user_id, actorId: session.user_id, sessionId: session.id };
    switch (verdict) {
      case 'rotate':
        return 'again'; // it became the live token of a live session since the first look
      case 'repeat':
        if (session.ip !== source.ip || session.user_agent !== source.userAgent) {
          const before = { ip_before: session.ip, user_agent_before: session.user_agent };
          await this.audit.record(tx, { ...event, type: 'session.moved', details: before }, source);
        }
        return session;
      case 'recover': {
        const next = await this.repository.skipLostSuccessor(tx, rotation);
        await this.audit.record(
          tx,
          { ...event, type: 'session.refresh_recovered', details: { skipped: session.counter } },
          source,
        );
        return { ...session, ...next, refresh_expires_at: refreshExpiry(session, rotation) };
      }
      case 'replay':
        await this.revoker.revoke(
          tx,
          { session: session.id },
          { reason: 'refresh_token_reused', actorId: null },
          source,
        );
        await this.audit.record(
          tx,
          {
            ...event,
            actorId: null,
            type: 'session.refresh_token_reused',
            details: { presented: rotation.counter, live: session.counter },
          },
          source,
        );
        return TOKEN_REVOKED;
      case 'expired':
        await this.recordRefused(tx, session, 'expired', source);
        return TOKEN_EXPIRED;
      case 'ended':
        await this.recordRefused(tx, session, session.ended_at ? 'ended' : 'disabled', source);
        return TOKEN_REVOKED;
    }
  }

  private recordRefused(
    tx: EntityManager,
    { id, user_id }: LockedSession,
    reason: 'device' | 'expired' | 'ended' | 'disabled',
    source: RequestSource,
  ): Promise<void> {
    const entry = { userId: user_id, sessionId: id, details: { reason } };
    return this.audit.record(tx, { ...entry, type: 'session.refresh_refused' }, source);
  }
}

/** The refresh token came to another device than it was given to: bound by the name that the client gave at sign-in. */
const isForeignDevice = (session: LockedSession, { deviceId }: Rotation): boolean =>
  deviceId !== null && session.device_id !== null && deviceId !== session.device_id;

const refreshExpiry = (session: LockedSession, rotation: Rotation): number =>
  Math.floor(Math.min(session.expires_at.getTime(), rotation.idleExpiresAt.getTime()) / 1000);

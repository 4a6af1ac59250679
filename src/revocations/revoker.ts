import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import type { AuditEventType } from '../audit/audit-event-types.js';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { RATE_LIMITED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { CONFIG, type Config } from '../config/config.js';
import type { RevocationCause, RevocationKind, RevocationTarget } from './revocation.js';
import { type EndedSession, RevocationsRepository } from './revocations.repository.js';

/** How far an issuer's clock may run ahead of ours: so much longer is an entry kept. */
const CLOCK_TOLERANCE_SECONDS = 10;
/** A client's cut-off is its next tokens' `iat`: verifiers take those that are five seconds ahead, and clocks differ by one. */
const MAX_CUT_OFF_AHEAD_MS = 4000;
/** Whoever has a key can make new tokens with it for ever, and a service may be set to trust it by hand: ten years. */
const KEY_ENTRY_SECONDS = 10 * 365 * 86_400;

/**
 * The one way to make something count no more. State, audit rows and the entry that verifiers get
 * commit together; the caller answers after COMMIT (docs/adr/0008).
 */
@Injectable()
export class Revoker {
  private readonly entrySeconds: number;

  constructor(
    private readonly repository: RevocationsRepository,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    @Inject(CONFIG) { tokens }: Config,
  ) {
    this.entrySeconds = tokens.accessTokenSeconds + CLOCK_TOLERANCE_SECONDS;
  }

  /**
   * Revokes `target` within `tx`. Returns how many it was: sessions that ended (0 where they had
   * before), else 1 or 0.
   * @throws Problem `rate_limited` where a client's tokens were taken back three times within a second
   */
  async revoke(
    tx: EntityManager,
    target: RevocationTarget,
    cause: RevocationCause,
    source: RequestSource,
  ): Promise<number> {
    const now = this.clock.now();
    const { reason } = cause;
    if ('session' in target) {
      const saltHash = target.saltHash ?? null;
      return this.tellEnded(
        tx,
        await this.repository.endSession(tx, target.session, saltHash, reason, now),
        cause,
        source,
      );
    }
    if ('sessionsOf' in target && target.except !== undefined) {
      await this.repository.lockUser(tx, target.sessionsOf);
      const ended = await this.repository.endOthers(tx, target.sessionsOf, target.except, reason, now);
      return this.tellEnded(tx, ended, cause, source);
    }
    if ('sessionsOf' in target) return this.revokeAll(tx, target.sessionsOf, cause, source);
    if ('tokensOf' in target) return this.revokeTokens(tx, target.tokensOf, cause, source);
    if ('client' in target) {
      if (!(await this.repository.disableClient(tx, target.client, now))) return 0;
      await this.record(tx, 'client.disabled', { clientId: target.client }, cause, source);
      return this.tell(tx, 'client', [target.client], null, cause);
    }
    if ('tokensOfClient' in target) return this.revokeTokensOfClient(tx, target.tokensOfClient, cause, source);
    if ('key' in target) {
      await this.record(tx, 'key.compromised', { details: { kid: target.key } }, cause, source);
      return this.tell(tx, 'key', [target.key], null, cause);
    }
    if (await this.repository.holdToken(tx, target.token)) return 0;
    const { userId, clientId } = target;
    await this.record(tx, 'token.revoked', { userId, clientId, details: { jti: target.token } }, cause, source);
    return this.tell(tx, 'token', [target.token], null, cause);
  }

  /** Ends those of a user's sessions that are too many: `keptId` has just begun. Returns how many. */
  async revokeSurplus(
    tx: EntityManager,
    userId: string,
    keptId: string,
    max: number,
    source: RequestSource,
  ): Promise<number> {
    const cause: RevocationCause = { reason: 'session_limit', actorId: userId };
    await this.repository.lockUser(tx, userId);
    const ended = await this.repository.endSurplus(tx, userId, keptId, max, cause.reason, this.clock.now());
    return this.tellEnded(tx, ended, cause, source);
  }

  private async revokeAll(tx: EntityManager, userId: string, cause: RevocationCause, source: RequestSource) {
    await this.repository.lockUser(tx, userId);
    const cutOff = await this.repository.cutOff(tx, userId, cause.reason, this.clock.now());
    if (!cutOff) return 0;
    await this.recordEnded(
      tx,
      cutOff.sessions.map((id) => ({ id, user_id: userId })),
      cause,
      source,
    );
    await this.tell(tx, 'user', [userId], cutOff.tokens_valid_from, cause);
    return cutOff.sessions.length;
  }

  private async revokeTokens(tx: EntityManager, userId: string, cause: RevocationCause, source: RequestSource) {
    await this.repository.lockUser(tx, userId);
    const cutOff = await this.repository.cutOff(tx, userId, null, this.clock.now());
    if (!cutOff) return 0;
    await this.record(tx, 'user.tokens_revoked', { userId }, cause, source);
    return this.tell(tx, 'user', [userId], cutOff.tokens_valid_from, cause);
  }

  private async revokeTokensOfClient(tx: EntityManager, id: string, cause: RevocationCause, source: RequestSource) {
    await this.repository.lockClient(tx, id);
    const now = this.clock.now();
    const validFrom = await this.repository.cutOffClient(tx, id, now);
    if (!validFrom) return 0;
    const waitMs = validFrom.getTime() - now.getTime() - MAX_CUT_OFF_AHEAD_MS;
    if (waitMs > 0) throw new Problem(RATE_LIMITED, { retryAfterSeconds: waitMs / 1000 });
    await this.record(tx, 'client.tokens_revoked', { clientId: id }, cause, source);
    return this.tell(tx, 'client', [id], validFrom, cause);
  }

  private async tellEnded(tx: EntityManager, ended: EndedSession[], cause: RevocationCause, source: RequestSource) {
    if (ended.length === 0) return 0;
    await this.recordEnded(tx, ended, cause, source);
    return this.tell(
      tx,
      'session',
      ended.map(({ id }) => id),
      null,
      cause,
    );
  }

  private async recordEnded(tx: EntityManager, ended: EndedSession[], cause: RevocationCause, source: RequestSource) {
    for (const { id, user_id } of ended)
      await this.record(tx, 'session.ended', { userId: user_id, sessionId: id }, cause, source);
  }

  private async tell(
    tx: EntityManager,
    kind: RevocationKind,
    subjects: string[],
    issuedBefore: Date | null,
    { reason }: RevocationCause,
  ): Promise<number> {
    const revokedAt = this.clock.now();
    const seconds = kind === 'key' ? KEY_ENTRY_SECONDS : this.entrySeconds;
    const expiresAt = new Date(revokedAt.getTime() + seconds * 1000);
    const ids = subjects.map(() => newId(revokedAt));
    await this.repository.tell(tx, subjects, { kind, issuedBefore, reason, revokedAt, expiresAt }, ids);
    return subjects.length;
  }

  private record(
    tx: EntityManager,
    type: AuditEventType,
    about: { userId?: string; sessionId?: string; clientId?: string; details?: Record<string, unknown> },
    { reason, actorId }: RevocationCause,
    source: RequestSource,
  ): Promise<void> {
    return this.audit.record(tx, { ...about, type, actorId, details: { reason, ...about.details } }, source);
  }
}

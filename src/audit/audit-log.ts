import { createHmac, type KeyObject } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Clock } from '../common/clock.js';
import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { newId } from '../common/ids.js';
import { Logger } from '../common/logging.js';
import type { RequestSource } from '../common/request-source.js';
import { type AuditEventType, auditEventTypes } from './audit-event-types.js';
import { AuditRepository } from './audit.repository.js';
import { RefusalBudget } from './refusal-budget.js';

export interface AuditEntry {
  type: AuditEventType;
  /** Whose account it touches. */
  userId?: string | null;
  /** Who did it; leave out where nobody proved who they are. */
  actorId?: string | null;
  sessionId?: string | null;
  /** The service that it touches, or that did it. */
  clientId?: string | null;
  details?: Record<string, unknown>;
}

/** Writes what happened, in the transaction of its cause. */
@Injectable()
export class AuditLog {
  private readonly nameKey: KeyObject;

  constructor(
    private readonly repository: AuditRepository,
    private readonly refusals: RefusalBudget,
    private readonly clock: Clock,
    private readonly logger: Logger,
    keys: DerivedKeys,
  ) {
    this.nameKey = keys.of('audit-name');
  }

  /** Records `entry` within `tx`: both commit, or neither. */
  record(tx: EntityManager, entry: AuditEntry, source: RequestSource): Promise<void> {
    return this.insert(tx, entry, source);
  }

  /** Records what had no transaction of its own, such as a failed sign-in, before it is answered. */
  recordAlone(entry: AuditEntry, source: RequestSource): Promise<void> {
    return this.insert(null, entry, source);
  }

  /**
   * Records a refusal. It holds whether or not the row can be written, so a database that is away
   * is logged, and the caller still gets their refusal. Without a session they are bounded.
   */
  async recordRefusal(entry: AuditEntry, source: RequestSource): Promise<void> {
    if (!entry.sessionId && !this.refusals.take(source.ip)) return;
    try {
      await this.insert(null, entry, source);
    } catch (error) {
      this.logger.error({ err: error, request_id: source.requestId, type: entry.type }, 'a refusal was not audited');
    }
  }

  /**
   * Stands for a name that belongs to nobody: tells repeats apart and shows nothing, since what is
   * typed there is at times a password.
   */
  hashName(canonicalName: string): string {
    return createHmac('sha256', this.nameKey).update(canonicalName).digest('base64url').slice(0, 16);
  }

  private insert(tx: EntityManager | null, entry: AuditEntry, source: RequestSource): Promise<void> {
    const now = this.clock.now();
    return this.repository.insert(tx, {
      id: newId(now),
      occurredAt: now,
      type: entry.type,
      outcome: auditEventTypes[entry.type].outcome,
      actorId: entry.actorId ?? null,
      userId: entry.userId ?? null,
      sessionId: entry.sessionId ?? null,
      clientId: entry.clientId ?? null,
      ip: source.ip,
      userAgent: source.userAgent,
      requestId: source.requestId,
      details: entry.details ?? {},
    });
  }
}

import { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';

import type { AuditEvent } from '../audit/audit-event.entity.js';
import { AuditLog } from '../audit/audit-log.js';
import { type AuditFilter, AuditRepository } from '../audit/audit.repository.js';
import { toAuditEvent } from '../audit/audit.schemas.js';
import { Clock } from '../common/clock.js';
import type { Principal } from '../common/principal.js';
import { OVERLOADED, TOKEN_REVOKED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import type { AuditFormat } from './audit-formats.js';

/** How many events are read, and held, at a time. */
const BATCH = 500;
/** How many bytes wait for a slow reader before no more are read from the database. */
const READ_AHEAD_BYTES = 64 * 1024;
/** Of one process. An export may take as long as its reader does. */
const MAX_EXPORTS = 4;
const RETRY_AFTER_SECONDS = 10;

export const EXPORT_PERMISSION = 'audit:export';

/**
 * Writes all events that match as text, newest first. It reads on by the last id, so that between two batches it holds neither a
 * connection nor a snapshot, and reads only as fast as the client does.
 */
@Injectable()
export class AuditExport {
  private running = 0;

  constructor(
    private readonly events: AuditRepository,
    private readonly sessions: SessionsRepository,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Begins an export, and records that it did. Destroying the stream ends it; the stream breaks off where the database does, or
   * where whoever asked was signed out or may export no more.
   * @throws Problem `overloaded`
   */
  async begin(filter: AuditFilter, format: AuditFormat, by: Principal, source: RequestSource): Promise<Readable> {
    if (this.running >= MAX_EXPORTS) throw new Problem(OVERLOADED, { retryAfterSeconds: RETRY_AFTER_SECONDS });
    this.running++;
    try {
      const first = await this.events.list(filter, BATCH, null);
      const who = { actorId: by.userId, sessionId: by.sessionId };
      await this.audit.recordAlone(
        { ...who, type: 'audit.exported', details: { format: format.name, ...filter } },
        source,
      );
      const text = Readable.from(this.write(first, filter, format, by), {
        objectMode: false,
        highWaterMark: READ_AHEAD_BYTES,
      });
      return text.once('close', () => this.running--);
    } catch (error) {
      this.running--;
      throw error;
    }
  }

  private async *write(first: AuditEvent[], filter: AuditFilter, format: AuditFormat, by: Principal) {
    if (format.head) yield format.head;
    for (let batch = first; batch.length > 0;) {
      yield batch.map((event) => format.line(toAuditEvent(event))).join('');
      if (batch.length < BATCH) return;
      await this.requireStanding(by);
      batch = await this.events.list(filter, BATCH, batch[batch.length - 1].id);
    }
  }

  /** A long export outlives its access token, but neither the session nor the permission. */
  private async requireStanding({ sessionId, userId, issuedAt }: Principal): Promise<void> {
    const standing = await this.sessions.findStanding(sessionId, userId, issuedAt, this.clock.now());
    if (!standing?.permissions.includes(EXPORT_PERMISSION)) throw new Problem(TOKEN_REVOKED);
  }
}

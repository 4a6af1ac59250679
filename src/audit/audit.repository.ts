import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Database, type Statement } from '../database/database.js';
import { AuditEvent } from './audit-event.entity.js';

/** The columns that a statement of another table names when it writes its own audit row. */
export const INSERT_AUDIT_EVENT_COLUMNS =
  'id, occurred_at, type, outcome, actor_id, user_id, session_id, ip, user_agent, request_id, details';

const INSERT: Statement = {
  name: 'audit-insert',
  text: `
  insert into audit_events (${INSERT_AUDIT_EVENT_COLUMNS}, client_id)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
};

/** The table `audit_events`: rows come, and never change. */
@Injectable()
export class AuditRepository {
  constructor(private readonly database: Database) {}

  /** Writes a row within `tx`, or by itself where there is no transaction to join. */
  async insert(tx: EntityManager | null, event: Partial<AuditEvent>): Promise<void> {
    const { id, occurredAt, type, outcome, actorId, userId, sessionId, ip, userAgent, requestId, details } = event;
    const where = [sessionId, ip, userAgent, requestId];
    const values = [id, occurredAt, type, outcome, actorId, userId, ...where, details, event.clientId];
    if (tx) await tx.query(INSERT.text, values);
    else await this.database.run(INSERT, values);
  }

  /** A user's events, newest first, from before the event `before` on. */
  async listOfUser(userId: string, limit: number, before: string | null): Promise<AuditEvent[]> {
    const query = this.database.manager
      .createQueryBuilder(AuditEvent, 'event')
      .where('event.userId = :userId', { userId })
      .orderBy('event.id', 'DESC')
      .limit(limit);
    if (before) query.andWhere('event.id < :before', { before });
    return query.getMany();
  }

  async createPartitions(monthsAhead: number): Promise<void> {
    await this.database.manager.query('select create_audit_partitions($1)', [monthsAhead]);
  }
}

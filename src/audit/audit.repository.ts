import { Injectable } from '@nestjs/common';
import type { EntityManager, SelectQueryBuilder } from 'typeorm';

import { oldestIdAt } from '../common/ids.js';
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

/** What a search asks for; whatever is left out matches every event. */
export interface AuditFilter {
  /** Whose account an event touches. */
  user?: string;
  /** Who did it, where it is not their own account. */
  actor?: string;
  type?: string;
  /** An address or a network, as {@link canonicalNetwork} spells it. */
  ip?: string;
  /** The first instant, and the first one after the last. */
  from?: Date;
  to?: Date;
  /** From 0 to 100. Events that nobody has rated do not match. */
  min_risk?: number;
}

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

  /** Events, newest first, from before the event `before` on. */
  async list(filter: AuditFilter, limit: number, before: string | null): Promise<AuditEvent[]> {
    return this.selection(filter, limit, before).getMany();
  }

  /** A user's events, newest first, from before the event `before` on. */
  async listOfUser(userId: string, limit: number, before: string | null): Promise<AuditEvent[]> {
    return this.list({ user: userId }, limit, before);
  }

  /** The query of {@link list}. Each filter has an index that ends in the id. */
  selection(filter: AuditFilter, limit: number, before: string | null): SelectQueryBuilder<AuditEvent> {
    const { user, actor, type, ip, from, to, min_risk: minRisk } = filter;
    const query = this.database.manager
      .createQueryBuilder(AuditEvent, 'event')
      .orderBy('event.id', 'DESC')
      .limit(limit);
    if (before !== null) query.andWhere('event.id < :before', { before });
    if (user !== undefined) query.andWhere('event.userId = :user', { user });
    if (actor !== undefined)
      query.andWhere('event.actorId = :actor and event.actorId is distinct from event.userId', { actor });
    if (type !== undefined) query.andWhere('event.type = :type', { type });
    if (ip !== undefined) query.andWhere(`event.ip ${ip.includes('/') ? '<<=' : '='} cast(:ip as inet)`, { ip });
    // The time chooses the partitions, the id the place in each.
    if (from !== undefined)
      query.andWhere('event.occurredAt >= :from and event.id >= :fromId', { from, fromId: oldestIdAt(from) });
    if (to !== undefined) query.andWhere('event.occurredAt < :to and event.id < :toId', { to, toId: oldestIdAt(to) });
    if (minRisk !== undefined) query.andWhere('event.risk >= :minRisk', { minRisk });
    return query;
  }

  async createPartitions(monthsAhead: number, manager = this.database.manager): Promise<void> {
    await manager.query('select create_audit_partitions($1)', [monthsAhead]);
  }
}

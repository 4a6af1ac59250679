import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What happened: append-only, in monthly partitions. */
@Entity('audit_events')
@Index(['userId', 'id'])
@Index(['type', 'id'])
@Index(['ip', 'id'])
@Index(['actorId', 'id'], { where: 'actor_id is distinct from user_id' })
@Index(['risk', 'id'], { where: 'risk is not null' })
@Check('audit_events_outcome_check', `outcome in ('success', 'failure', 'refused')`)
export class AuditEvent {
  /** UUIDv7: its order is the order of time. */
  @PrimaryColumn('uuid')
  id: string;

  @PrimaryColumn('timestamptz')
  occurredAt: Date;

  /** One of audit-event-types.ts. */
  @Column('text')
  type: string;

  @Column('text')
  outcome: string;

  /** Who did it, where that is known. */
  @Column('uuid', { nullable: true })
  actorId: string | null;

  /** Whose account it touches. */
  @Column('uuid', { nullable: true })
  userId: string | null;

  @Column('uuid', { nullable: true })
  sessionId: string | null;

  @Column('text', { nullable: true })
  clientId: string | null;

  @Column('inet', { nullable: true })
  ip: string | null;

  @Column('text', { nullable: true })
  userAgent: string | null;

  @Column('text', { nullable: true })
  requestId: string | null;

  @Column('text', { nullable: true })
  country: string | null;

  @Column('text', { nullable: true })
  city: string | null;

  @Column('integer', { nullable: true })
  asn: number | null;

  /** From 0 to 100. */
  @Column('real', { nullable: true })
  risk: number | null;

  @Column('jsonb', { nullable: true })
  riskReasons: unknown;

  @Column('jsonb', { default: () => `'{}'` })
  details: Record<string, unknown>;
}

import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { User } from '../users/user.entity.js';

/** A sign-in and all that grew from it: one row, one live refresh token (docs/adr/0001). */
@Entity('sessions')
@Index('sessions_live_user_id_idx', ['userId', 'id'], { where: 'ended_at is null' })
export class Session {
  @PrimaryColumn('uuid')
  id: string;

  @Index()
  @Column('uuid')
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: User;

  /** SHA-256 of the salt that only the refresh token carries. */
  @Column('bytea')
  saltHash: Buffer;

  /** The number of the live refresh token. */
  @Column('integer', { default: 0 })
  counter: number;

  /** The token that the live one came from; what lies between was skipped. */
  @Column('integer', { nullable: true })
  parentCounter: number | null;

  /** When the parent was first spent. */
  @Column('timestamptz', { nullable: true })
  parentSpentAt: Date | null;

  /** When the live token was made. */
  @Column('timestamptz', { nullable: true })
  rotatedAt: Date | null;

  /** When the user last proved who they are; a refresh never moves it. */
  @Column('timestamptz')
  authTime: Date;

  /** How they proved it (RFC 8176). */
  @Column('text', { array: true })
  amr: string[];

  /** As a client named its device. */
  @Column('text', { nullable: true })
  deviceId: string | null;

  /** As the `device` cookie names the browser. */
  @Column('uuid', { nullable: true })
  deviceKey: string | null;

  @Column('inet')
  ip: string;

  @Column('text', { nullable: true })
  userAgent: string | null;

  @Column('timestamptz')
  createdAt: Date;

  @Column('timestamptz')
  lastSeenAt: Date;

  @Column('timestamptz')
  idleExpiresAt: Date;

  /** The absolute end. */
  @Index()
  @Column('timestamptz')
  expiresAt: Date;

  /** The user's cut-off, as this session knows it. */
  @Column('timestamptz', { nullable: true })
  tokensValidFrom: Date | null;

  @Index({ where: 'ended_at is not null' })
  @Column('timestamptz', { nullable: true })
  endedAt: Date | null;

  @Column('text', { nullable: true })
  endReason: string | null;
}

import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Failed proofs of identity of one subject at one place. */
@Entity('login_counters')
export class LoginCounter {
  @PrimaryColumn('bytea')
  key: Buffer;

  @Index()
  @Column('bytea')
  subject: Buffer;

  /** Since the last success, release or lock. */
  @Column('integer')
  attempts: number;

  /** In a row: each is longer than the one before. */
  @Column('integer')
  locks: number;

  @Column('timestamptz', { nullable: true })
  lockedUntil: Date | null;

  /** Then all is forgotten. */
  @Index()
  @Column('timestamptz')
  expiresAt: Date;
}

import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { User } from '../users/user.entity.js';

/** An authenticator app that holds a seed of ours (RFC 6238). */
@Entity('totp_authenticators')
@Index(['userId'])
@Index('totp_authenticators_unconfirmed_key', ['userId'], { unique: true, where: 'confirmed_at is null' })
export class TotpAuthenticator {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid')
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: User;

  @Column('text')
  name: string;

  /** Of the key that the seed is encrypted with. */
  @Column('text')
  keyId: string;

  @Column('bytea')
  seed: Buffer;

  /** The last time step that was accepted, as PostgreSQL writes it. */
  @Column('bigint', { default: 0 })
  lastStep: string;

  /** Null: set up, and not in use yet. */
  @Column('timestamptz', { nullable: true })
  confirmedAt: Date | null;

  @Column('timestamptz', { nullable: true })
  lastUsedAt: Date | null;

  @Column('timestamptz')
  createdAt: Date;
}

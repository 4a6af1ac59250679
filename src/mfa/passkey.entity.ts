import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';

import { User } from '../users/user.entity.js';

/** A public key credential (WebAuthn Level 3, section 4). */
@Entity('passkeys')
@Index(['userId'])
@Unique(['credentialId'])
export class Passkey {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid')
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: User;

  @Column('bytea')
  credentialId: Buffer;

  /** COSE. */
  @Column('bytea')
  publicKey: Buffer;

  /** As the authenticator counts, and PostgreSQL writes it; 0 for those that do not count. */
  @Column('bigint')
  signCount: string;

  @Column('text', { array: true })
  transports: string[];

  @Column('uuid')
  aaguid: string;

  @Column('boolean')
  backupEligible: boolean;

  @Column('boolean')
  backedUp: boolean;

  @Column('text')
  name: string;

  @Column('timestamptz', { nullable: true })
  lastUsedAt: Date | null;

  @Column('timestamptz')
  createdAt: Date;
}

import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { Client } from './client.entity.js';

/** One of a client's secrets: several at once, so that one can be replaced while it is in use. */
@Entity('client_secrets')
export class ClientSecret {
  @PrimaryColumn('uuid')
  id: string;

  @Index()
  @Column('uuid')
  clientId: string;

  @ManyToOne(() => Client, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'client_id' })
  client?: Client;

  /** SHA-256 of 256 random bits: too many to try. */
  @Column('bytea')
  secretHash: Buffer;

  @Column('timestamptz')
  createdAt: Date;

  @Column('timestamptz', { nullable: true })
  expiresAt: Date | null;
}

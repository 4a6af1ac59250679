import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { RevocationKind, RevocationReason } from './revocation.js';

/** What verifiers are told: gone once no token is left that it could refuse. */
@Entity('revocations')
@Check('revocations_kind_check', `kind in ('token', 'session', 'user', 'client', 'key')`)
export class Revocation {
  @PrimaryColumn('uuid')
  id: string;

  /** The number of the transaction that wrote it: what a reader goes on from. */
  @Index()
  @Column('bigint', { default: () => 'current_transaction_number()' })
  position: string;

  @Column('text')
  kind: RevocationKind;

  /** The jti, sid, sub, client_id or kid. */
  @Index()
  @Column('text')
  subject: string;

  /** Tokens with an earlier `iat` are refused; null: all. */
  @Column('timestamptz', { nullable: true })
  issuedBefore: Date | null;

  @Column('text')
  reason: RevocationReason;

  @Column('timestamptz')
  revokedAt: Date;

  @Index()
  @Column('timestamptz')
  expiresAt: Date;
}

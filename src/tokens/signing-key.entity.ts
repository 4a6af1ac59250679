import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

import type { Algorithm } from '#verifier';

/** A key that `latchkey keys` made, or one of the settings that is compromised. The row outlives the key. */
@Entity('signing_keys')
@Check('signing_keys_check', '(key_id is null) = (sealed is null)')
@Check('signing_keys_check1', '(retired_at is null) = (verifies_until is null)')
@Check('signing_keys_check2', 'compromised_at is null or retired_at is not null')
export class StoredKey {
  @PrimaryColumn('text')
  kid: string;

  /** Null for a compromised one that is known by its id alone. */
  @Column('text', { nullable: true })
  algorithm: Algorithm | null;

  /** The only one that it serves; null: any. */
  @Column('text', { nullable: true })
  audience: string | null;

  /** Of the key that it is sealed with. */
  @Column('text', { nullable: true })
  keyId: string | null;

  /** The private or shared JWK, encrypted; null once it was destroyed, and for a key of the settings. */
  @Column('bytea', { nullable: true })
  sealed: Buffer | null;

  /** Verifies from then on, and stands in the JWKS. */
  @Column('timestamptz')
  createdAt: Date;

  /** Signs from then on, until another one does that became active later. */
  @Column('timestamptz', { nullable: true })
  activeFrom: Date | null;

  @Column('timestamptz', { nullable: true })
  retiredAt: Date | null;

  /** Of a retired one: until then it verifies, and then it is destroyed. */
  @Column('timestamptz', { nullable: true })
  verifiesUntil: Date | null;

  @Column('timestamptz', { nullable: true })
  compromisedAt: Date | null;
}

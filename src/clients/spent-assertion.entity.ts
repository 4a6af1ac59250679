import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A client assertion that was used: it counts no more. */
@Entity('spent_assertions')
export class SpentAssertion {
  @PrimaryColumn('uuid')
  clientId: string;

  /** SHA-256 of the `jti`. */
  @PrimaryColumn('bytea')
  jtiHash: Buffer;

  @Index()
  @Column('timestamptz')
  expiresAt: Date;
}

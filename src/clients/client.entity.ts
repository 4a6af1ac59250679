import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

import type { ClientJwks } from './client-jwks.js';

/** A service that authenticates as itself (RFC 6749, section 2). */
@Entity('clients')
@Unique(['name'])
export class Client {
  /** The client_id. */
  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  name: string;

  /** What its tokens may allow. */
  @Column('text', { array: true, default: () => `'{}'` })
  scopes: string[];

  /** Whom its tokens may be for; the first one where it names none. None: it gets no tokens. */
  @Column('text', { array: true, default: () => `'{}'` })
  audiences: string[];

  /** Whose tokens it may introspect, being their resource server; null: those for `JWT_AUDIENCE`. */
  @Column('text', { array: true, nullable: true })
  servedAudiences: string[] | null;

  /** Public keys for `private_key_jwt`. */
  @Column('jsonb', { nullable: true })
  jwks: ClientJwks | null;

  /** Tokens with an earlier `iat` count no more; a whole second. */
  @Column('timestamptz', { nullable: true })
  tokensValidFrom: Date | null;

  @Column('timestamptz')
  createdAt: Date;

  @Column('timestamptz', { nullable: true })
  disabledAt: Date | null;
}

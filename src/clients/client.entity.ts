import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A service that authenticates as itself (RFC 6749, section 2). */
@Entity('clients')
@Unique(['name'])
export class Client {
  /** The client_id. */
  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  name: string;

  @Column('timestamptz')
  createdAt: Date;

  @Column('timestamptz', { nullable: true })
  disabledAt: Date | null;
}

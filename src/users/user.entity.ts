import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

import type { Attributes } from './attributes.js';

/** An account. */
@Entity('users')
@Index('users_username_canonical_idx', { synchronize: false }) // by operator classes that TypeORM does not know
@Index('users_email_canonical_idx', { synchronize: false })
@Index('users_roles_idx', { synchronize: false })
@Index(['deleteAt'], { where: 'delete_at is not null' })
@Unique(['usernameCanonical'])
@Unique(['emailCanonical'])
export class User {
  @PrimaryColumn('uuid')
  id: string;

  /** As the user wrote it. */
  @Column('text')
  username: string;

  @Column('text')
  usernameCanonical: string;

  @Column('text')
  email: string;

  @Column('text')
  emailCanonical: string;

  @Column('timestamptz', { nullable: true })
  emailVerifiedAt: Date | null;

  /** PHC string. */
  @Column('text')
  passwordHash: string;

  @Column('timestamptz')
  passwordChangedAt: Date;

  @Column('text', { array: true, default: () => `'{user}'` })
  roles: string[];

  @Column('boolean', { default: true })
  isActive: boolean;

  @Column('boolean', { default: false })
  mustChangePassword: boolean;

  /** The ways to prove more than the password that there are now: `passkey`, `totp`, `recovery_code`. */
  @Column('text', { array: true, default: () => `'{}'` })
  secondFactors: string[];

  /** What other services need to know of the user. */
  @Column('jsonb', { default: () => `'{}'` })
  attributes: Attributes;

  /** When all of the user's access tokens were revoked the last time. */
  @Column('timestamptz', { nullable: true })
  cutOffAt: Date | null;

  /** The earliest `iat` that counts since: a whole second. */
  @Column('timestamptz', { nullable: true })
  tokensValidFrom: Date | null;

  /** When it is deleted, at its owner's wish, unless they sign in before. */
  @Column('timestamptz', { nullable: true })
  deleteAt: Date | null;

  @Column('timestamptz')
  createdAt: Date;

  @Column('timestamptz')
  updatedAt: Date;
}

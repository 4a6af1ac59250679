import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { User } from '../users/user.entity.js';

/** A sign-in whose password was right, and whose second step is to come. */
@Entity('half_way_sign_ins')
@Index(['userId'])
@Index(['expiresAt'])
export class HalfWaySignIn {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid')
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: User;

  @Column('text')
  purpose: string;

  @Column('bytea')
  binding: Buffer;

  @Column('uuid', { nullable: true })
  deviceKey: string | null;

  @Column('text', { nullable: true })
  deviceId: string | null;

  @Column('text', { array: true })
  amr: string[];

  @Column('timestamptz')
  passwordChangedAt: Date;

  @Column('integer', { default: 0 })
  attempts: number;

  @Column('timestamptz', { nullable: true })
  spentAt: Date | null;

  @Column('timestamptz')
  createdAt: Date;

  @Column('timestamptz')
  expiresAt: Date;
}

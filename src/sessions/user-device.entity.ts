import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';

import { User } from '../users/user.entity.js';

/** A browser that signed in before as this user (OWASP: device cookies). */
@Entity('user_devices')
@Unique(['userId', 'deviceKey'])
export class UserDevice {
  @PrimaryColumn('uuid')
  id: string;

  @Column('uuid')
  userId: string;

  @ManyToOne(() => User, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'user_id' })
  user?: User;

  /** As the `device` cookie names the browser. */
  @Column('uuid')
  deviceKey: string;

  @Column('text', { nullable: true })
  userAgent: string | null;

  @Column('inet')
  ip: string;

  @Column('timestamptz')
  createdAt: Date;

  @Column('timestamptz')
  lastSeenAt: Date;

  /** Until then a sign-in from it skips the second step. */
  @Column('timestamptz', { nullable: true })
  rememberedUntil: Date | null;
}

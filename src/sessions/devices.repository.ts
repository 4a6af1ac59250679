import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Database } from '../database/database.js';
import { UserDevice } from './user-device.entity.js';

/** Whether a row of `user_devices` is that of this browser, known by this user; for use in a statement. */
export const isKnownDevice = (row: string, userId: string, deviceKey: string): string =>
  `${row}.user_id = ${userId} and ${row}.device_key = ${deviceKey}`;

/** The table `user_devices`. */
@Injectable()
export class DevicesRepository {
  constructor(private readonly database: Database) {}

  /** Whether this browser signed in before as this user, and was not forgotten since. */
  isKnown(userId: string, deviceKey: string, tx: EntityManager = this.database.manager): Promise<boolean> {
    return tx.existsBy(UserDevice, { userId, deviceKey });
  }

  /** Lets it skip the second step until then. */
  async remember(tx: EntityManager, userId: string, deviceKey: string, until: Date): Promise<void> {
    await tx.update(UserDevice, { userId, deviceKey }, { rememberedUntil: until });
  }

  /** None of the user's browsers skips the second step any more, but that of the session `exceptSession`; they stay known. */
  async forgetRemembered(tx: EntityManager, userId: string, exceptSession: string | null = null): Promise<void> {
    await tx.query(
      `update user_devices set remembered_until = null
        where user_id = $1 and remembered_until is not null
          and device_key is distinct from (select device_key from sessions where id = $2)`,
      [userId, exceptSession],
    );
  }

  /** A user's devices, newest first, from before the device `before` on. */
  async list(userId: string, limit: number, before: string | null): Promise<UserDevice[]> {
    const query = this.database.manager
      .createQueryBuilder(UserDevice, 'device')
      .where('device.userId = :userId', { userId })
      .orderBy('device.id', 'DESC')
      .limit(limit);
    if (before) query.andWhere('device.id < :before', { before });
    return query.getMany();
  }

  /** Forgets a device; false where this user has none of that id. */
  async forget(tx: EntityManager, userId: string, id: string): Promise<boolean> {
    return (await tx.delete(UserDevice, { id, userId })).affected === 1;
  }
}

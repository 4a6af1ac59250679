import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Database } from '../database/database.js';
import { UserDevice } from './user-device.entity.js';

/** Whether this browser signed in before as this user, and was not forgotten since; for use in a statement. */
export const isKnownDevice = (userId: string, deviceKey: string): string =>
  `exists (select from user_devices known where known.user_id = ${userId} and known.device_key = ${deviceKey})`;

/** The table `user_devices`. */
@Injectable()
export class DevicesRepository {
  constructor(private readonly database: Database) {}

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

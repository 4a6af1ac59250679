import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Database, type Statement } from '../database/database.js';
import { UserDevice } from './user-device.entity.js';

const IS_KNOWN: Statement = {
  name: 'device-is-known',
  text: 'select exists (select from user_devices where user_id = $1 and device_key = $2) as known',
};

/** The table `user_devices`. */
@Injectable()
export class DevicesRepository {
  constructor(private readonly database: Database) {}

  /** Whether this browser signed in before as this user, and was not forgotten since. */
  async isKnown(userId: string, deviceKey: string): Promise<boolean> {
    return (await this.database.run<{ known: boolean }>(IS_KNOWN, [userId, deviceKey]))[0].known;
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

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { LAST_ADMINISTRATOR } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { UsersRepository } from '../users/users.repository.js';
import { ADMIN_ROLE } from './permissions.js';

/** Whoever has the role `admin` and an account in use: there is always one, once there was. */
@Injectable()
export class Administrators {
  constructor(private readonly users: UsersRepository) {}

  /**
   * Within `tx`, does what may take an administrator away, and makes sure that one is left. Such changes come one after the
   * other, so two administrators cannot take each other away at once.
   * @throws Problem `last_administrator`, which undoes the change
   */
  async keepOne<T>(tx: EntityManager, change: () => Promise<T>): Promise<T> {
    await this.users.lockHolders(tx);
    const hadOne = await this.users.isHeld(tx, ADMIN_ROLE);
    const outcome = await change();
    if (hadOne && !(await this.users.isHeld(tx, ADMIN_ROLE))) throw new Problem(LAST_ADMINISTRATOR);
    return outcome;
  }
}

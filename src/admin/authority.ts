import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { ADMIN_ROLE } from '../access/permissions.js';
import { FORBIDDEN, LAST_ADMINISTRATOR } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { UsersRepository } from '../users/users.repository.js';

/** Who administers: somebody signed in, or the command line, which may do everything. */
export interface Administrator {
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly roles: readonly string[];
  readonly permissions: readonly string[] | 'all';
}

/** Who may do what to whom, beyond the permission that a route asks for. */
@Injectable()
export class Authority {
  constructor(private readonly users: UsersRepository) {}

  /**
   * Nobody but an administrator hands out, or rules over, what they do not have themselves: else a helper who may write accounts would
   * make themselves, or take over, an administrator.
   * @throws Problem `forbidden`
   */
  requireAll(by: Administrator, needed: readonly string[]): void {
    if (by.permissions === 'all' || by.roles.includes(ADMIN_ROLE)) return;
    const held = by.permissions;
    const missing = needed.filter((permission) => !held.includes(permission));
    if (missing.length === 0) return;
    throw new Problem(FORBIDDEN, { detail: `That needs permissions that you do not have: ${missing.join(', ')}.` });
  }

  /**
   * Within `tx`, does what may take an administrator away, and makes sure that one is left. Such changes come one after the
   * other, so two administrators cannot take each other away at once.
   * @throws Problem `last_administrator`, which undoes the change
   */
  async keepOneAdministrator<T>(tx: EntityManager, change: () => Promise<T>): Promise<T> {
    await this.users.lockHolders(tx);
    const hadOne = await this.users.isHeld(tx, ADMIN_ROLE);
    const outcome = await change();
    if (hadOne && !(await this.users.isHeld(tx, ADMIN_ROLE))) throw new Problem(LAST_ADMINISTRATOR);
    return outcome;
  }
}

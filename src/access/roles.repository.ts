import { Injectable } from '@nestjs/common';
import { type EntityManager, In } from 'typeorm';

import { Database, uniqueViolation } from '../database/database.js';
import { Role } from './role.entity.js';

/** The table `roles`. */
@Injectable()
export class RolesRepository {
  constructor(private readonly database: Database) {}

  /** All of them, by name. */
  list(): Promise<Role[]> {
    return this.database.manager.find(Role, { order: { name: 'ASC' } });
  }

  find(tx: EntityManager, name: string): Promise<Role | null> {
    return tx.findOneBy(Role, { name });
  }

  /** Those of `names` that there are, held until `tx` is over, so that none goes meanwhile. */
  holdAll(tx: EntityManager, names: readonly string[]): Promise<Role[]> {
    return tx.find(Role, {
      where: { name: In([...names]) },
      order: { name: 'ASC' },
      lock: { mode: 'pessimistic_read' },
    });
  }

  /** Held for a change until `tx` is over. */
  lock(tx: EntityManager, name: string): Promise<Role | null> {
    return tx.findOne(Role, { where: { name }, lock: { mode: 'pessimistic_write' } });
  }

  /** False where there is one of that name. */
  async insert(tx: EntityManager, role: Role): Promise<boolean> {
    try {
      await tx.insert(Role, role);
      return true;
    } catch (error) {
      if (uniqueViolation(error) === 'roles_pkey') return false;
      throw error;
    }
  }

  async setPermissions(tx: EntityManager, name: string, permissions: string[]): Promise<void> {
    await tx.update(Role, { name }, { permissions });
  }

  async remove(tx: EntityManager, name: string): Promise<void> {
    await tx.delete(Role, { name });
  }
}

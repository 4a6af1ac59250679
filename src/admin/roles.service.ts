import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Role } from '../access/role.entity.js';
import { ADMIN_ROLE } from '../access/permissions.js';
import { RolesRepository } from '../access/roles.repository.js';
import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import type { Principal } from '../common/principal.js';
import { NOT_FOUND, ROLE_BUILT_IN, ROLE_TAKEN } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { Revoker } from '../revocations/revoker.js';
import { UsersRepository } from '../users/users.repository.js';
import { requireAuthority } from './authority.js';

/** What administrators do with roles. Whoever has a role that changes gets tokens that say so within a second. */
@Injectable()
export class AdminRolesService {
  constructor(
    private readonly database: Database,
    private readonly roles: RolesRepository,
    private readonly users: UsersRepository,
    private readonly revoker: Revoker,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @throws Problem `role_taken`, `forbidden` */
  create(name: string, permissions: string[], by: Principal, source: RequestSource): Promise<Role> {
    requireAuthority(by, permissions);
    const role: Role = { name, permissions, builtIn: false, createdAt: this.clock.now() };
    return this.database.transaction(async (tx) => {
      if (!(await this.roles.insert(tx, role))) throw new Problem(ROLE_TAKEN);
      await this.audit.record(tx, { ...whoOf(by), type: 'role.created', details: { name, permissions } }, source);
      return role;
    });
  }

  /** @throws Problem `not_found`, `role_built_in` (what `admin` allows stays), `forbidden` */
  change(name: string, permissions: string[], by: Principal, source: RequestSource): Promise<Role> {
    return this.database.transaction(async (tx) => {
      const role = await this.lock(tx, name, by);
      if (name === ADMIN_ROLE) throw new Problem(ROLE_BUILT_IN);
      requireAuthority(by, permissions);
      await this.roles.setPermissions(tx, name, permissions);
      const details = { name, from: role.permissions, to: permissions };
      await this.audit.record(tx, { ...whoOf(by), type: 'role.changed', details }, source);
      await this.cutOff(tx, name, by, source);
      return { ...role, permissions };
    });
  }

  /** Deletes a role, and takes it from whoever has it. @throws Problem `not_found`, `role_built_in`, `forbidden` */
  async delete(name: string, by: Principal, source: RequestSource): Promise<void> {
    await this.database.transaction(async (tx) => {
      const role = await this.lock(tx, name, by);
      if (role.builtIn) throw new Problem(ROLE_BUILT_IN);
      await this.cutOff(tx, name, by, source);
      const users = await this.users.takeRole(tx, name, this.clock.now());
      await this.roles.remove(tx, name);
      const details = { name, permissions: role.permissions, users };
      await this.audit.record(tx, { ...whoOf(by), type: 'role.deleted', details }, source);
    });
  }

  private async lock(tx: EntityManager, name: string, by: Principal): Promise<Role> {
    const role = await this.roles.lock(tx, name);
    if (!role) throw new Problem(NOT_FOUND);
    requireAuthority(by, role.permissions);
    return role;
  }

  /** Only of those who can hold a token that says otherwise: whoever has a live session. */
  private async cutOff(tx: EntityManager, name: string, by: Principal, source: RequestSource): Promise<void> {
    const cause = { reason: 'roles_changed', actorId: by.userId } as const;
    for (const id of await this.users.listSignedInWithRole(tx, name, this.clock.now()))
      await this.revoker.revoke(tx, { tokensOf: id }, cause, source);
  }
}

const whoOf = ({ userId, sessionId }: Principal) => ({ actorId: userId, sessionId });

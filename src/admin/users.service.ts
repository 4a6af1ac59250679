import { randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Administrators } from '../access/administrators.js';
import { RolesRepository } from '../access/roles.repository.js';
import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import { EMAIL_TAKEN, FORBIDDEN, NOT_FOUND, USERNAME_TAKEN, VALIDATION_FAILED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { FactorsService } from '../mfa/factors.service.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { Lockout } from '../protection/lockout.js';
import type { RevocationReason } from '../revocations/revocation.js';
import { Revoker } from '../revocations/revoker.js';
import { newUser } from '../users/new-user.js';
import { type LinkPurpose, OneTimeLinks } from '../users/one-time-links.repository.js';
import { type Account, UsersRepository } from '../users/users.repository.js';
import type { ChangeUserRequest, CreateUserRequest } from './admin.schemas.js';
import { type Administrator, requireAuthority } from './authority.js';

export interface IssuedLink {
  readonly token: string;
  readonly purpose: LinkPurpose;
  readonly expiresAt: Date;
}

/** What administrators do with accounts. */
@Injectable()
export class AdminUsersService {
  constructor(
    private readonly database: Database,
    private readonly users: UsersRepository,
    private readonly roles: RolesRepository,
    private readonly links: OneTimeLinks,
    private readonly factors: FactorsService,
    private readonly administrators: Administrators,
    private readonly revoker: Revoker,
    private readonly lockout: Lockout,
    private readonly hasher: PasswordHasher,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @throws Problem `not_found` */
  async get(id: string, tx?: EntityManager): Promise<Account> {
    const account = await this.users.findById(id, tx);
    if (!account) throw new Problem(NOT_FOUND);
    return account;
  }

  /**
   * Makes an account that nobody knows a password of, and the link by which its owner chooses one.
   * @throws Problem `username_taken`, `email_taken`, `validation_failed` (a role that is not there), `forbidden`
   */
  async create(
    { username, email, roles, attributes = {} }: CreateUserRequest,
    by: Administrator,
    source: RequestSource,
  ): Promise<{ account: Account; link: IssuedLink }> {
    const passwordHash = await this.hasher.hash(randomBytes(32).toString('base64url'));
    const user = newUser({ username, email, passwordHash, roles, attributes }, this.clock.now());
    const { id } = user;
    return this.database.transaction(async (tx) => {
      await this.requireRoles(tx, roles, by);
      const outcome = await this.users.insert(tx, user);
      if (outcome !== 'inserted') throw new Problem(outcome === 'username_taken' ? USERNAME_TAKEN : EMAIL_TAKEN);
      await this.audit.record(tx, { ...whoOf(by, id), type: 'user.created', details: { roles } }, source);
      const link = await this.issue(tx, id, 'invite', by, source);
      return { account: await this.get(id, tx), link };
    });
  }

  /**
   * Changes roles and states; each takes effect at once, here and at services that verify by themselves.
   * @throws Problem `not_found`, `validation_failed`, `forbidden`, `last_administrator`
   */
  change(id: string, change: ChangeUserRequest, by: Administrator, source: RequestSource): Promise<Account> {
    return this.database.transaction((tx) =>
      this.administrators.keepOne(tx, async () => {
        const before = await this.lock(tx, id, by);
        if (change.roles) await this.requireRoles(tx, change.roles, by);
        await this.users.change(tx, id, change, this.clock.now());
        const after = await this.get(id, tx);
        const details = differences(before, after);
        if (Object.keys(details).length === 0) return after;
        await this.audit.record(tx, { ...whoOf(by, id), type: 'user.changed', details }, source);
        if ('is_active' in details && !after.is_active)
          await this.revoker.revoke(tx, { sessionsOf: id }, causeOf('account_disabled', by), source);
        else if (Object.keys(details).some((member) => member !== 'is_active'))
          await this.revoker.revoke(tx, { tokensOf: id }, causeOf('roles_changed', by), source);
        return after;
      }),
    );
  }

  /** Deletes the account for good; the audit log keeps its id. @throws as {@link change} */
  async delete(id: string, by: Administrator, source: RequestSource): Promise<void> {
    await this.database.transaction((tx) =>
      this.administrators.keepOne(tx, async () => {
        await this.lock(tx, id, by);
        await this.revoker.revoke(tx, { sessionsOf: id }, causeOf('account_deleted', by), source);
        await this.lockout.release(tx, id);
        await this.users.remove(tx, id);
        await this.audit.record(tx, { ...whoOf(by, id), type: 'user.deleted' }, source);
      }),
    );
  }

  /** A new link by which the user chooses a password; those before work no more. @throws Problem `not_found`, `forbidden` */
  issueLink(id: string, by: Administrator, source: RequestSource): Promise<IssuedLink> {
    return this.database.transaction(async (tx) => {
      await this.lock(tx, id, by);
      return this.issue(tx, id, 'reset', by, source);
    });
  }

  /** Releases the account from its locks everywhere. Returns how many counters it had. @throws Problem `not_found` */
  unlock(id: string, by: Administrator, source: RequestSource): Promise<number> {
    return this.database.transaction(async (tx) => {
      await this.get(id, tx);
      const released = await this.lockout.release(tx, id);
      await this.audit.record(tx, { ...whoOf(by, id), type: 'account.unlocked' }, source);
      return released;
    });
  }

  /** Ends all sessions of the user. Returns how many. @throws Problem `not_found`, `forbidden` */
  endSessions(id: string, by: Administrator, source: RequestSource): Promise<number> {
    return this.database.transaction(async (tx) => {
      await this.lock(tx, id, by);
      return this.revoker.revoke(tx, { sessionsOf: id }, causeOf('ended_by_administrator', by), source);
    });
  }

  /**
   * Takes all second factors away, and ends all sessions; never one's own, which `/auth/2fa` asks a proof for. Returns how
   * many sessions ended. @throws Problem `not_found`, `forbidden`
   */
  async resetFactors(id: string, by: Administrator, source: RequestSource): Promise<number> {
    if (id === by.userId) throw new Problem(FORBIDDEN, { detail: 'Take your own factors away at /auth/2fa.' });
    return this.database.transaction(async (tx) => {
      await this.lock(tx, id, by);
      const factors = await this.factors.reset(tx, id);
      await this.audit.record(tx, { ...whoOf(by, id), type: 'mfa.reset', details: { factors } }, source);
      return this.revoker.revoke(tx, { sessionsOf: id }, causeOf('factors_reset', by), source);
    });
  }

  /** The account under its row lock, if `by` may rule over it. */
  private async lock(tx: EntityManager, id: string, by: Administrator): Promise<Account> {
    await this.users.lock(tx, id);
    const account = await this.get(id, tx);
    requireAuthority(by, account.permissions);
    return account;
  }

  private async requireRoles(tx: EntityManager, names: readonly string[], by: Administrator): Promise<void> {
    const found = await this.roles.holdAll(tx, names);
    const missing = names.filter((name) => !found.some((role) => role.name === name));
    if (missing.length > 0) {
      const errors = missing.map((name) => ({ field: 'roles', message: `there is no role ${name}` }));
      throw new Problem(VALIDATION_FAILED, { errors });
    }
    requireAuthority(
      by,
      found.flatMap((role) => role.permissions),
    );
  }

  private async issue(
    tx: EntityManager,
    id: string,
    purpose: LinkPurpose,
    by: Administrator,
    source: RequestSource,
  ): Promise<IssuedLink> {
    const link = await this.links.issue(tx, id, purpose);
    await this.audit.record(tx, { ...whoOf(by, id), type: 'user.link_issued', details: { purpose } }, source);
    return { ...link, purpose };
  }
}

const whoOf = ({ userId, sessionId }: Administrator, touched: string) => ({
  userId: touched,
  actorId: userId,
  sessionId,
});

const causeOf = (reason: RevocationReason, { userId }: Administrator) => ({ reason, actorId: userId });

/** What an administrator may change, where it did change: before and after. */
function differences(before: Account, after: Account): Record<string, { from: unknown; to: unknown }> {
  const members = ['roles', 'is_active', 'must_change_password', 'attributes'] as const;
  const changed = members.filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]));
  return Object.fromEntries(changed.map((member) => [member, { from: before[member], to: after[member] }]));
}

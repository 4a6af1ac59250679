import type { INestApplicationContext } from '@nestjs/common';
import { z } from 'zod';

import { roleName } from '../access/role-name.js';
import { toAdminUser } from '../admin/admin.schemas.js';
import { OPERATOR } from '../admin/authority.js';
import { AdminUsersService, type IssuedLink } from '../admin/users.service.js';
import { OwnDataService } from '../auth/own-data.service.js';
import type { RequestSource } from '../common/request-source.js';
import { canonicalName } from '../users/canonical-name.js';
import { type Account, UsersRepository } from '../users/users.repository.js';
import { email, username } from '../users/users.schemas.js';
import { check } from './check.js';
import type { Output } from './output.js';

/** What the commands on accounts do, by the service's own classes. `user` is a username, an e-mail address or an id. */
export class UserActions {
  private readonly admin: AdminUsersService;
  private readonly users: UsersRepository;

  constructor(
    private readonly app: INestApplicationContext,
    private readonly output: Output,
    private readonly source: RequestSource,
  ) {
    this.admin = app.get(AdminUsersService, { strict: false });
    this.users = app.get(UsersRepository, { strict: false });
  }

  async create(name: string, address: string, roles: string[]): Promise<void> {
    const request = {
      username: check(username, name),
      email: check(email, address),
      roles: [...new Set(roles.map((role) => check(roleName, role)))].toSorted(),
    };
    const { account, link } = await this.admin.create(request, OPERATOR, this.source);
    this.output.item({ ...viewOf(account), ...viewOfLink(link) });
  }

  async list(filter: { search?: string; role?: string }, limit: string): Promise<void> {
    const count = check(z.coerce.number('must be a number').int().min(1).max(10_000), limit);
    this.output.list((await this.users.list(filter, count, null)).map(viewOf));
  }

  async show(user: string): Promise<void> {
    this.output.item(viewOf(await this.find(user)));
  }

  async setActive(user: string, isActive: boolean): Promise<void> {
    const { id } = await this.find(user);
    this.output.item(viewOf(await this.admin.change(id, { is_active: isActive }, OPERATOR, this.source)));
  }

  async unlock(user: string): Promise<void> {
    const { id } = await this.find(user);
    this.output.item({ released: await this.admin.unlock(id, OPERATOR, this.source) });
  }

  async link(user: string): Promise<void> {
    const { id } = await this.find(user);
    this.output.item(viewOfLink(await this.admin.issueLink(id, OPERATOR, this.source)));
  }

  async resetFactors(user: string): Promise<void> {
    const { id } = await this.find(user);
    this.output.item({ revoked: await this.admin.resetFactors(id, OPERATOR, this.source) });
  }

  async export(user: string): Promise<void> {
    const { id } = await this.find(user);
    const ownData = this.app.get(OwnDataService, { strict: false });
    this.output.json(await ownData.export({ userId: id, sessionId: null }, this.source));
  }

  async delete(user: string): Promise<void> {
    const { id } = await this.find(user);
    await this.admin.delete(id, OPERATOR, this.source);
    this.output.item({ deleted: id });
  }

  async endSessions(user: string): Promise<void> {
    const { id } = await this.find(user);
    this.output.item({ revoked: await this.admin.endSessions(id, OPERATOR, this.source) });
  }

  private async find(user: string): Promise<Account> {
    const isId = z.uuid().safeParse(user).success;
    const account = isId ? await this.users.findById(user) : await this.users.findByCanonicalName(canonicalName(user));
    if (!account) throw new Error(`there is no account ${user}`);
    return account;
  }
}

function viewOf(account: Account): Record<string, unknown> {
  const { permissions: _, ...shown } = toAdminUser(account);
  return shown;
}

const viewOfLink = ({ token, purpose, expiresAt }: IssuedLink) => ({
  link_token: token,
  link_purpose: purpose,
  link_expires_at: expiresAt.toISOString(),
});

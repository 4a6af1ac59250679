import { randomBytes } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import type { Client } from '../clients/client.entity.js';
import { secretHash } from '../clients/client-authenticator.js';
import { type ClientSettings, ClientsRepository } from '../clients/clients.repository.js';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { CLIENT_TAKEN, FORBIDDEN, NOT_FOUND } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { Revoker } from '../revocations/revoker.js';
import { type Administrator, isAdministrator, requireAuthority } from './authority.js';
import type { ChangeClientRequest, ClientWithSecrets, CreateClientRequest } from './clients.schemas.js';

const SECRET_BYTES = 32;
const HOUR_MS = 3_600_000;

/**
 * What administrators do with clients. Scopes are handed out like permissions: nobody gives a client, or rules over one with,
 * what they do not have themselves.
 */
@Injectable()
export class AdminClientsService {
  constructor(
    private readonly database: Database,
    private readonly clients: ClientsRepository,
    private readonly revoker: Revoker,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Newest first, from before the client `before` on. */
  async list(limit: number, before: string | null): Promise<ClientWithSecrets[]> {
    const clients = await this.clients.list(limit, before);
    const secrets = await this.clients.listSecrets(
      clients.map(({ id }) => id),
      this.clock.now(),
    );
    return clients.map((client) => ({ ...client, secrets: secrets.filter(({ clientId }) => clientId === client.id) }));
  }

  /**
   * Makes a client. Its secret is returned this once, and kept as a hash; one with keys of its own gets none.
   * @throws Problem `client_taken`, `forbidden`
   */
  async create(request: CreateClientRequest, by: Administrator, source: RequestSource) {
    this.requireAuthorityOver(by, request);
    const now = this.clock.now();
    const { name, scopes, audiences, served_audiences: servedAudiences, jwks = null } = request;
    const settings = { scopes, audiences, servedAudiences, jwks };
    const client: Client = {
      id: newId(now),
      name,
      ...settings,
      tokensValidFrom: null,
      createdAt: now,
      disabledAt: null,
    };
    const made = jwks ? null : this.newSecret(client.id);
    await this.database.transaction(async (tx) => {
      if (!(await this.clients.insert(tx, client))) throw new Problem(CLIENT_TAKEN);
      if (made) await this.clients.addSecret(tx, made.row);
      const details = { name, ...viewOf(settings) };
      await this.audit.record(tx, { ...whoOf(by), type: 'client.created', clientId: client.id, details }, source);
    });
    return { client: { ...client, secrets: made ? [made.row] : [] }, secret: made?.secret ?? null };
  }

  /** Tokens of before count no more, so that what was taken away is gone at once. @throws Problem `not_found`, `forbidden` */
  async change(id: string, request: ChangeClientRequest, by: Administrator, source: RequestSource) {
    const { served_audiences: servedAudiences, ...others } = request;
    const changes: Partial<ClientSettings> = Object.fromEntries(
      Object.entries({ ...others, servedAudiences }).filter(([, value]) => value !== undefined),
    );
    const client = await this.database.transaction(async (tx) => {
      const before = await this.lock(tx, id, by);
      this.requireAuthorityOver(by, changes);
      await this.clients.change(tx, id, changes);
      const details = { from: viewOf(before, changes), to: viewOf(changes) };
      await this.audit.record(tx, { ...whoOf(by), type: 'client.changed', clientId: id, details }, source);
      await this.cutOff(tx, id, by, source);
      return { ...before, ...changes };
    });
    return { ...client, secrets: await this.clients.listSecrets([id], this.clock.now()) };
  }

  /**
   * Gives a client another secret. The newest of those before stays good for `overlapHours`, all others end now: two at
   * most are good. Without an overlap its tokens end too, since whoever has the secret may have got some.
   * @throws Problem `not_found`, `forbidden`
   */
  rotate(id: string, overlapHours: number, by: Administrator, source: RequestSource) {
    return this.database.transaction(async (tx) => {
      await this.lock(tx, id, by);
      const now = this.clock.now();
      const endsAt = await this.clients.endSecrets(tx, id, new Date(now.getTime() + overlapHours * HOUR_MS), now);
      const { row, secret } = this.newSecret(id);
      await this.clients.addSecret(tx, row);
      const details = { overlap_hours: overlapHours };
      await this.audit.record(tx, { ...whoOf(by), type: 'client.secret_added', clientId: id, details }, source);
      if (overlapHours === 0) await this.cutOff(tx, id, by, source);
      return { secret, previousExpiresAt: endsAt };
    });
  }

  /** For good: the name stays taken, so that the audit log never means two. @throws Problem `not_found`, `forbidden` */
  async disable(id: string, by: Administrator, source: RequestSource): Promise<void> {
    const cause = { reason: 'client_disabled', actorId: by.userId } as const;
    await this.database.transaction(async (tx) => {
      await this.lock(tx, id, by);
      await this.revoker.revoke(tx, { client: id }, cause, source);
    });
  }

  private async lock(tx: EntityManager, id: string, by: Administrator): Promise<Client> {
    const client = await this.clients.lock(tx, id);
    if (client?.disabledAt !== null) throw new Problem(NOT_FOUND);
    this.requireAuthorityOver(by, client);
    return client;
  }

  /** An audience is no permission that somebody has; that of users is for administrators to give. @throws Problem `forbidden` */
  private requireAuthorityOver(by: Administrator, { scopes = [], audiences = [] }: Partial<ClientSettings>): void {
    requireAuthority(by, scopes);
    if (audiences.includes(this.config.tokens.audience) && !isAdministrator(by))
      throw new Problem(FORBIDDEN, { detail: 'Only an administrator gives tokens for the audience of users.' });
  }

  private async cutOff(tx: EntityManager, id: string, by: Administrator, source: RequestSource): Promise<void> {
    await this.revoker.revoke(tx, { tokensOfClient: id }, { reason: 'client_changed', actorId: by.userId }, source);
  }

  private newSecret(clientId: string) {
    const now = this.clock.now();
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    return {
      secret,
      row: { id: newId(now), clientId, secretHash: secretHash(secret), createdAt: now, expiresAt: null },
    };
  }
}

const whoOf = ({ userId, sessionId }: Administrator) => ({ actorId: userId, sessionId });

/** For the audit log: of keys, which they are. `only`: nothing but its members. */
function viewOf(settings: Partial<ClientSettings>, only: Partial<ClientSettings> = settings): Record<string, unknown> {
  const { scopes, audiences, servedAudiences, jwks } = settings;
  const all = { scopes, audiences, servedAudiences, jwks: jwks?.keys.map(({ kid, kty }) => kid ?? kty) };
  return Object.fromEntries(Object.entries(all).filter(([name]) => name in only));
}

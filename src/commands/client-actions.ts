import { readFileSync } from 'node:fs';

import type { INestApplicationContext } from '@nestjs/common';
import { z } from 'zod';

import { OPERATOR } from '../admin/authority.js';
import {
  type ClientWithSecrets,
  createClientRequest,
  rotateSecretRequest,
  toClientView,
} from '../admin/clients.schemas.js';
import { AdminClientsService } from '../admin/clients.service.js';
import type { Client } from '../clients/client.entity.js';
import { ClientsRepository } from '../clients/clients.repository.js';
import type { RequestSource } from '../common/request-source.js';
import { check } from './check.js';
import type { Output } from './output.js';

/** What a client may be given, as it is typed. */
export interface TypedGrants {
  scope?: string[];
  audience?: string[];
  serves?: string[];
  /** A file with a JWK Set. */
  jwks?: string;
}

/** What the commands on clients do, by the service's own classes. `client` is a name or an id. */
export class ClientActions {
  private readonly admin: AdminClientsService;
  private readonly clients: ClientsRepository;

  constructor(
    app: INestApplicationContext,
    private readonly output: Output,
    private readonly source: RequestSource,
  ) {
    this.admin = app.get(AdminClientsService, { strict: false });
    this.clients = app.get(ClientsRepository, { strict: false });
  }

  async create(name: string, { scope, audience, serves, jwks }: TypedGrants): Promise<void> {
    const grants = { scopes: scope, audiences: audience, served_audiences: serves };
    const request = check(createClientRequest, { name, ...grants, ...(jwks && { jwks: readJson(jwks) }) });
    const { client, secret } = await this.admin.create(request, OPERATOR, this.source);
    this.output.item({ ...viewOf(client), ...(secret && { client_secret: secret }) });
  }

  async list(limit: string): Promise<void> {
    const count = check(z.coerce.number('must be a number').int().min(1).max(10_000), limit);
    this.output.list((await this.admin.list(count, null)).map(viewOf));
  }

  async rotate(client: string, overlap: string): Promise<void> {
    const { overlap_hours: hours } = check(rotateSecretRequest, { overlap_hours: Number(overlap) });
    const { id } = await this.find(client);
    const { secret, previousExpiresAt } = await this.admin.rotate(id, hours, OPERATOR, this.source);
    const previous = previousExpiresAt?.toISOString() ?? null;
    this.output.item({ client_id: id, client_secret: secret, previous_expires_at: previous });
  }

  async disable(client: string): Promise<void> {
    const { id } = await this.find(client);
    await this.admin.disable(id, OPERATOR, this.source);
    this.output.item({ disabled: id });
  }

  private async find(client: string): Promise<Client> {
    const isId = z.uuid().safeParse(client).success;
    const found = isId ? await this.clients.findById(client) : await this.clients.findByName(client);
    if (!found) throw new Error(`there is no client ${client}`);
    return found;
  }
}

/** Of keys and secrets, how many. */
function viewOf(client: ClientWithSecrets): Record<string, unknown> {
  const { jwks, secrets, ...shown } = toClientView(client);
  return { ...shown, keys: jwks?.keys.length ?? 0, secrets: secrets.length };
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(`${file} cannot be read as JSON`);
  }
}

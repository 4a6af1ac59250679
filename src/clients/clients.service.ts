import { createHash, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { validate as isUuid } from 'uuid';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { type AuthenticClient, ClientsRepository } from './clients.repository.js';

const SECRET_BYTES = 32;

/** What a client authenticates with (RFC 6749, section 2.3.1). Shown once. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Knows the services that authenticate as themselves. */
@Injectable()
export class ClientsService {
  constructor(
    private readonly database: Database,
    private readonly repository: ClientsRepository,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Adds a client, by the command line or an administrator. Its secret is returned this once, and kept as a hash. Null where the name is taken. */
  async create(
    name: string,
    source: RequestSource,
    by?: { readonly userId: string; readonly sessionId: string },
  ): Promise<ClientCredentials | null> {
    const now = this.clock.now();
    const clientId = newId(now);
    const clientSecret = randomBytes(SECRET_BYTES).toString('base64url');
    const isNew = await this.database.transaction(async (tx) => {
      const added = await this.repository.insert(
        tx,
        { id: clientId, name, createdAt: now, disabledAt: null },
        { id: newId(now), clientId, secretHash: hashOf(clientSecret), createdAt: now, expiresAt: null },
      );
      const who = { actorId: by?.userId, sessionId: by?.sessionId };
      if (added) await this.audit.record(tx, { ...who, type: 'client.created', clientId, details: { name } }, source);
      return added;
    });
    return isNew ? { clientId, clientSecret } : null;
  }

  /** The client whose credentials these are, or null. */
  authenticate({ clientId, clientSecret }: ClientCredentials): Promise<AuthenticClient | null> {
    if (!isUuid(clientId)) return Promise.resolve(null);
    return this.repository.authenticate(clientId, hashOf(clientSecret), this.clock.now());
  }
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

import { createHash } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import { validate as isUuid } from 'uuid';

import { Clock } from '../common/clock.js';
import type { ClientPrincipal } from '../common/principal.js';
import { CONFIG, type Config } from '../config/config.js';
import { ClientAssertions } from './client-assertions.js';
import type { PresentedClient } from './client-credentials.js';
import { type ClientGrants, ClientsRepository } from './clients.repository.js';

/** Says which service calls, by what it presents. */
@Injectable()
export class ClientAuthenticator {
  constructor(
    private readonly repository: ClientsRepository,
    private readonly assertions: ClientAssertions,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** The client whose credentials these are, or null: unknown, wrong, run out, spent, or disabled. */
  async authenticate(presented: PresentedClient): Promise<ClientPrincipal | null> {
    const readAt = Math.floor(this.clock.now().getTime() / 1000);
    const grants =
      presented.method === 'private_key_jwt'
        ? await this.assertions.authenticate(presented.clientId, presented.assertion)
        : await this.bySecret(presented.clientId, presented.clientSecret);
    return grants && this.principalOf(grants, presented.method, readAt);
  }

  private bySecret(clientId: string, secret: string): Promise<ClientGrants | null> {
    if (!isUuid(clientId)) return Promise.resolve(null);
    return this.repository.authenticate(clientId, secretHash(secret), this.clock.now());
  }

  private principalOf(grants: ClientGrants, method: PresentedClient['method'], readAt: number): ClientPrincipal {
    return {
      clientId: grants.id,
      method,
      scopes: grants.scopes,
      audiences: grants.audiences,
      servedAudiences: grants.served_audiences ?? [this.config.tokens.audience],
      tokensValidFrom: grants.tokens_valid_from,
      readAt,
    };
  }
}

/** What is kept of a secret. One with 256 random bits needs no slow hash. */
export const secretHash = (secret: string): Buffer => createHash('sha256').update(secret).digest();

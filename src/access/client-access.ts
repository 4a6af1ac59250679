import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { validate as isUuid } from 'uuid';

import { AuditLog } from '../audit/audit-log.js';
import { ClientAuthenticator } from '../clients/client-authenticator.js';
import { readClientCredentials } from '../clients/client-credentials.js';
import type { ClientPrincipal } from '../common/principal.js';
import { INVALID_CLIENT } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { sourceOf } from '../common/request-source.js';
import { FailedClients } from './failed-clients.js';

/** Lets services in that prove who they are: at routes that declare `client`. */
@Injectable()
export class ClientAccess {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly failures: FailedClients,
    private readonly audit: AuditLog,
  ) {}

  /** @throws Problem `invalid_client`, `rate_limited`, `malformed_request` */
  async admit(request: Request): Promise<ClientPrincipal> {
    const presented = readClientCredentials(request);
    if (!presented) throw new Problem(INVALID_CLIENT);
    const source = sourceOf(request);
    const { clientId } = presented;
    this.failures.admit(source.ip, clientId);
    const client = await this.authenticator.authenticate(presented);
    if (client) {
      this.failures.succeed(source.ip, client.clientId);
      return client;
    }
    // What is no id may be a secret, in the wrong place.
    const named = isUuid(clientId) ? { client_id: clientId } : {};
    await this.audit.recordRefusal({ type: 'client.refused', details: { path: request.path, ...named } }, source);
    await this.failures.fail(source.ip);
    throw new Problem(INVALID_CLIENT);
  }
}

import { Injectable } from '@nestjs/common';
import { validate as isUuid } from 'uuid';

import type { AccessTokenClaims, ServiceClaims } from '#verifier';

import { ClientsRepository } from '../clients/clients.repository.js';
import { Clock } from '../common/clock.js';
import { RevocationFeed } from '../revocations/revocation-feed.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';

/** Whether what a genuine token stands on still stands: its session and user, or its client, and the token itself. */
@Injectable()
export class TokenStanding {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly clients: ClientsRepository,
    private readonly feed: RevocationFeed,
    private readonly clock: Clock,
  ) {}

  /** The database says it of sessions, users, clients and their tokens; the feed, of what else was revoked. */
  async counts(claims: AccessTokenClaims, kid: string): Promise<boolean> {
    if (this.feed.match(claims, kid) !== null) return false;
    if (claims.sid === undefined) return this.clientCounts(claims);
    return (await this.sessions.findStanding(claims.sid, claims.sub, claims.iat, this.clock.now())) !== null;
  }

  /** With a shared key others can sign too, and may write what is no id of ours. */
  private clientCounts({ client_id, jti, iat }: ServiceClaims): Promise<boolean> {
    if (!isUuid(client_id) || !isUuid(jti)) return Promise.resolve(false);
    return this.clients.counts(client_id, jti, iat);
  }
}

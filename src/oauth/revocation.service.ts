import { Injectable } from '@nestjs/common';
import { validate as isUuid } from 'uuid';

import { Clock } from '../common/clock.js';
import type { ClientPrincipal } from '../common/principal.js';
import { UNSUPPORTED_TOKEN_TYPE } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { Revoker } from '../revocations/revoker.js';
import { IssuedTokens } from '../tokens/issued-tokens.js';
import type { RevocationRequest } from './oauth.schemas.js';

/** Lets a client give a token of its own back (RFC 7009). */
@Injectable()
export class TokenRevocationService {
  constructor(
    private readonly issued: IssuedTokens,
    private readonly database: Database,
    private readonly revoker: Revoker,
    private readonly clock: Clock,
  ) {}

  /**
   * Whatever is no token of the client's own has no effect and is no error (section 2.2): nothing is told of it.
   * @throws Problem `unsupported_token_type` of what is called a refresh token: the sessions of users end at /auth/logout
   */
  async revoke({ token, token_type_hint }: RevocationRequest, client: ClientPrincipal, source: RequestSource) {
    const { clientId } = client;
    const claims = (await this.issued.open(token, this.clock.now()))?.claims;
    if (!claims && token_type_hint === 'refresh_token') throw new Problem(UNSUPPORTED_TOKEN_TYPE);
    if (!claims || claims.sid !== undefined || claims.client_id !== clientId || !isUuid(claims.jti)) return;
    const cause = { reason: 'token_revoked', actorId: null } as const;
    await this.database.transaction((tx) => this.revoker.revoke(tx, { token: claims.jti, clientId }, cause, source));
  }
}

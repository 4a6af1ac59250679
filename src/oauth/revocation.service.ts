import { Injectable } from '@nestjs/common';
import { validate as isUuid } from 'uuid';

import { Clock } from '../common/clock.js';
import type { ClientPrincipal } from '../common/principal.js';
import { MALFORMED_REQUEST, UNSUPPORTED_TOKEN_TYPE } from '../common/problem/catalogue.js';
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
   * Whatever is no token, or is over, has no effect and is no error (section 2.2). Somebody else's stays as it is (section 2.1).
   * @throws Problem `malformed_request` of somebody else's token; `unsupported_token_type` of what is called a refresh token:
   *   the sessions of users end at /auth/logout
   */
  async revoke({ token, token_type_hint }: RevocationRequest, client: ClientPrincipal, source: RequestSource) {
    const { clientId } = client;
    const claims = (await this.issued.openEarly(token, this.clock.now()))?.claims;
    if (!claims && token_type_hint === 'refresh_token') throw new Problem(UNSUPPORTED_TOKEN_TYPE);
    if (!claims) return;
    if (claims.sid !== undefined || claims.client_id !== clientId)
      throw new Problem(MALFORMED_REQUEST, { detail: 'The token is not one that this client got.' });
    if (!isUuid(claims.jti)) return; // with a shared key others can sign too
    const cause = { reason: 'token_revoked', actorId: null } as const;
    await this.database.transaction((tx) => this.revoker.revoke(tx, { token: claims.jti, clientId }, cause, source));
  }
}

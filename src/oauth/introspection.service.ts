import { Injectable } from '@nestjs/common';

import type { AccessTokenClaims } from '#verifier';

import { Clock } from '../common/clock.js';
import type { ClientPrincipal } from '../common/principal.js';
import { RESTRICTED_AUDIENCES } from '../tokens/access-token.js';
import { IssuedTokens } from '../tokens/issued-tokens.js';
import { TokenStanding } from './token-standing.js';

/** What introspection tells of a token (RFC 7662, section 2.2). */
export type Introspection = { active: false } | ({ active: true; token_type: 'Bearer' } & AccessTokenClaims);

/** Tells services whether a token counts now: for those that cannot verify, or whose feed is cut. */
@Injectable()
export class IntrospectionService {
  constructor(
    private readonly issued: IssuedTokens,
    private readonly standing: TokenStanding,
    private readonly clock: Clock,
  ) {}

  async introspect(token: string, caller: ClientPrincipal): Promise<Introspection> {
    const opened = await this.issued.open(token, this.clock.now());
    if (!opened || !mayAsk(caller, opened.claims)) return { active: false };
    const { claims, kid } = opened;
    return (await this.standing.counts(claims, kid))
      ? { active: true, token_type: 'Bearer', ...claims }
      : { active: false };
  }
}

/** RFC 7662, section 4: no service learns by this what a token of somebody else says, or that it counts. */
function mayAsk({ clientId, servedAudiences }: ClientPrincipal, { aud, client_id }: AccessTokenClaims): boolean {
  // Such a token lets its owner mend their account here, and opens nothing anywhere else.
  if (RESTRICTED_AUDIENCES.includes(aud)) return false;
  return servedAudiences.includes(aud) || client_id === clientId;
}

import { Injectable } from '@nestjs/common';

import { TokenError, type UserClaims } from '#verifier';

import { Clock } from '../common/clock.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { RESTRICTED_AUDIENCES } from '../tokens/access-token.js';
import { AccessTokenVerifier } from '../tokens/access-token-verifier.js';

/** What introspection tells of a token (RFC 7662, section 2.2). */
export type Introspection = { active: false } | ({ active: true; token_type: 'Bearer' } & UserClaims);

/** Tells services whether a token counts now: for those that cannot verify, or whose feed is cut. */
@Injectable()
export class IntrospectionService {
  constructor(
    private readonly verifier: AccessTokenVerifier,
    private readonly sessions: SessionsRepository,
    private readonly clock: Clock,
  ) {}

  async introspect(token: string): Promise<Introspection> {
    const now = this.clock.now();
    const claims = await this.claimsOf(token, now);
    // Such a token lets its owner mend their account here, and opens nothing anywhere else.
    if (!claims || [claims.aud].flat().some((audience) => RESTRICTED_AUDIENCES.includes(audience)))
      return { active: false };
    const standing = await this.sessions.findStanding(claims.sid, claims.sub, claims.iat, now);
    return standing ? { active: true, token_type: 'Bearer', ...claims } : { active: false };
  }

  private async claimsOf(token: string, now: Date): Promise<UserClaims | null> {
    try {
      return (await this.verifier.checkAndLearn(token, now)).claims;
    } catch (error) {
      if (error instanceof TokenError) return null;
      throw error;
    }
  }
}

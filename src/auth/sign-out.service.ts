import { Injectable } from '@nestjs/common';

import { Clock } from '../common/clock.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import type { Principal } from '../common/principal.js';
import type { RevocationCause } from '../revocations/revocation.js';
import { Revoker } from '../revocations/revoker.js';
import { RefreshTokens, saltHash } from '../sessions/refresh-token.js';
import type { AccessTokenClaims } from '../tokens/access-token.js';
import { AccessTokenVerifier } from '../tokens/access-token-verifier.js';

/** Signs people out. */
@Injectable()
export class SignOutService {
  constructor(
    private readonly database: Database,
    private readonly revoker: Revoker,
    private readonly refreshTokens: RefreshTokens,
    private readonly verifier: AccessTokenVerifier,
    private readonly clock: Clock,
  ) {}

  /** Ends the sessions that the two tokens name; a stale or foreign one ends nothing and is no error. */
  async signOut(refreshToken: string | null, accessToken: string | null, source: RequestSource): Promise<number> {
    const refresh = this.refreshTokens.open(refreshToken);
    const access = this.claimsOf(accessToken);
    if (!refresh && !access) return 0;
    return this.database.transaction(async (tx) => {
      const cause: RevocationCause = { reason: 'logout', actorId: access?.sub ?? null };
      const target = refresh && { session: refresh.sessionId, saltHash: saltHash(refresh.salt) };
      const ended = target ? await this.revoker.revoke(tx, target, cause, source) : 0;
      return access ? ended + (await this.revoker.revoke(tx, { session: access.sid }, cause, source)) : ended;
    });
  }

  /** Ends all sessions of the user, this one too. Returns how many. */
  signOutEverywhere(user: Principal, source: RequestSource): Promise<number> {
    const cause: RevocationCause = { reason: 'logout_all', actorId: user.userId };
    return this.database.transaction((tx) => this.revoker.revoke(tx, { sessionsOf: user.userId }, cause, source));
  }

  private claimsOf(accessToken: string | null): AccessTokenClaims | null {
    try {
      return accessToken === null ? null : this.verifier.verify(accessToken, this.clock.now());
    } catch {
      return null;
    }
  }
}

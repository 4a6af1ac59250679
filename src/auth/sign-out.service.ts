import { Injectable } from '@nestjs/common';

import { Clock } from '../common/clock.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { type EndCause, SessionsService } from '../sessions/sessions.service.js';
import type { AccessTokenClaims } from '../tokens/access-token.js';
import { AccessTokenVerifier } from '../tokens/access-token-verifier.js';

/** Signs people out. */
@Injectable()
export class SignOutService {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
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
      const cause: EndCause = { reason: 'logout', actorId: access?.sub ?? null };
      const ended = refresh ? await this.sessions.endByToken(tx, refresh, cause, source) : 0;
      return access ? ended + (await this.sessions.end(tx, access.sid, cause, source)) : ended;
    });
  }

  private claimsOf(accessToken: string | null): AccessTokenClaims | null {
    try {
      return accessToken === null ? null : this.verifier.verify(accessToken, this.clock.now());
    } catch {
      return null;
    }
  }
}

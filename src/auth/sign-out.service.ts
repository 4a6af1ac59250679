import { Injectable } from '@nestjs/common';

import type { UserClaims } from '#verifier';
import type { EntityManager } from 'typeorm';

import { Clock } from '../common/clock.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import type { Principal } from '../common/principal.js';
import type { RevocationCause } from '../revocations/revocation.js';
import { Revoker } from '../revocations/revoker.js';
import { DevicesRepository } from '../sessions/devices.repository.js';
import { type RefreshToken, RefreshTokens, saltHash } from '../sessions/refresh-token.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { AccessTokenVerifier } from '../tokens/access-token-verifier.js';

/** Signs people out. */
@Injectable()
export class SignOutService {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsRepository,
    private readonly devices: DevicesRepository,
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
      // Two tokens may be of two users: each end names whoever its own token speaks for.
      const ended = refresh ? await this.endByRefreshToken(tx, refresh, source) : 0;
      if (!access) return ended;
      const cause: RevocationCause = { reason: 'logout', actorId: access.sub };
      return ended + (await this.revoker.revoke(tx, { session: access.sid }, cause, source));
    });
  }

  /** Ends all sessions of the user, this one too, and no browser skips the second step. Returns how many. */
  signOutEverywhere(user: Principal, source: RequestSource): Promise<number> {
    const cause: RevocationCause = { reason: 'logout_all', actorId: user.userId };
    return this.database.transaction(async (tx) => {
      const count = await this.revoker.revoke(tx, { sessionsOf: user.userId }, cause, source);
      await this.devices.forgetRemembered(tx, user.userId);
      return count;
    });
  }

  private async endByRefreshToken(tx: EntityManager, token: RefreshToken, source: RequestSource): Promise<number> {
    const target = { session: token.sessionId, saltHash: saltHash(token.salt) };
    const owner = await this.sessions.findOwner(tx, target.session, target.saltHash);
    return owner === null ? 0 : this.revoker.revoke(tx, target, { reason: 'logout', actorId: owner }, source);
  }

  private claimsOf(accessToken: string | null): UserClaims | null {
    try {
      return accessToken === null ? null : this.verifier.verify(accessToken, this.clock.now());
    } catch {
      return null;
    }
  }
}

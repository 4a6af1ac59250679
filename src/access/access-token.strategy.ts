import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import passportJwt from 'passport-jwt';

import { TokenRevoked, type UserClaims } from '#verifier';

import { Clock } from '../common/clock.js';
import { Cookies } from '../common/cookies.js';
import type { Principal } from '../common/principal.js';
import { transportOf } from '../common/transport.js';
import { RevocationFeed } from '../revocations/revocation-feed.js';
import { AccessTokenVerifier } from '../tokens/access-token-verifier.js';

type Verified = (error: Error | null, claims?: UserClaims) => void;
/** Rejects with a TokenError. */
type Check = (token: string) => Promise<UserClaims>;
type WithVerifier = { JwtVerifier(token: string, key: unknown, options: unknown, done: Verified): void };

export const ACCESS_TOKEN_STRATEGY = 'access-token';

/**
 * passport-jwt over the key ring: it finds the token and carries the flow. Its seam for the check
 * itself takes {@link AccessTokenVerifier}, since the library's lets odd tokens by and knows no
 * EdDSA (docs/adr/0002).
 */
@Injectable()
export class AccessTokenStrategy extends PassportStrategy(passportJwt.Strategy, ACCESS_TOKEN_STRATEGY) {
  constructor(verifier: AccessTokenVerifier, feed: RevocationFeed, clock: Clock, cookies: Cookies) {
    super({
      jwtFromRequest: (request: Request) => tokenOf(request, cookies),
      // Our check goes where the library keeps a key; its seam for checks is one for the whole process.
      secretOrKeyProvider: (_request: unknown, _token: unknown, done: (error: null, key: Check) => void) =>
        done(null, async (token) => {
          const { claims, kid } = await verifier.checkAndLearn(token, clock.now());
          const revoked = feed.match(claims, kid);
          if (revoked) throw new TokenRevoked(revoked);
          return claims;
        }),
    } as unknown as passportJwt.StrategyOptionsWithoutRequest);
    (passportJwt.Strategy as unknown as WithVerifier).JwtVerifier = (token, key, _options, done) => {
      (key as Check)(token).then((claims) => done(null, claims), done);
    };
  }

  validate(claims: UserClaims): Principal {
    return {
      userId: claims.sub,
      sessionId: claims.sid,
      username: claims.username,
      roles: claims.roles,
      permissions: claims.permissions,
      issuedAt: claims.iat,
      authTime: claims.auth_time,
      amr: claims.amr,
    };
  }
}

const fromHeader = passportJwt.ExtractJwt.fromAuthHeaderAsBearerToken();

/** The bearer token; only where there is no Authorization header at all, the access cookie. */
function tokenOf(request: Request, cookies: Cookies): string | null {
  if (request.headers.authorization !== undefined) return fromHeader(request);
  return transportOf(request) === 'cookie' ? cookies.readAccessToken(request) : null;
}

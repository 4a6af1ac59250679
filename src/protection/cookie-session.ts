import { Injectable } from '@nestjs/common';
import type { Request } from 'express';

import { Clock } from '../common/clock.js';
import { Cookies } from '../common/cookies.js';
import { type RefreshToken, RefreshTokens } from '../sessions/refresh-token.js';
import { AccessTokenVerifier } from '../tokens/access-token-verifier.js';

/** Which session the cookies of a request belong to: what a CSRF token is bound to. */
@Injectable()
export class CookieSession {
  private readonly opened = new WeakMap<Request, RefreshToken | null>();

  constructor(
    private readonly cookies: Cookies,
    private readonly refreshTokens: RefreshTokens,
    private readonly verifier: AccessTokenVerifier,
    private readonly clock: Clock,
  ) {}

  /** The genuine refresh token in the request's cookie, or null. Opened once a request. */
  refreshTokenOf(request: Request): RefreshToken | null {
    let token = this.opened.get(request);
    if (token === undefined) {
      token = this.refreshTokens.open(this.cookies.read(request, 'refresh_token'));
      this.opened.set(request, token);
    }
    return token;
  }

  /** By the refresh cookie, which only paths under /auth get, else by the access cookie; null without a genuine one. */
  idOf(request: Request): string | null {
    return this.refreshTokenOf(request)?.sessionId ?? this.idOfAccessCookie(request);
  }

  /** Whether the two cookies name two sessions: one of them was planted, so neither may speak for the browser. */
  isTorn(request: Request): boolean {
    const refreshToken = this.refreshTokenOf(request);
    const accessId = refreshToken && this.idOfAccessCookie(request);
    return accessId !== null && accessId !== refreshToken?.sessionId;
  }

  private idOfAccessCookie(request: Request): string | null {
    const accessToken = this.cookies.readAccessToken(request);
    if (!accessToken) return null;
    try {
      return this.verifier.verify(accessToken, this.clock.now()).sid;
    } catch {
      return null;
    }
  }
}

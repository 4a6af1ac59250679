import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import passportJwt from 'passport-jwt';

import { Clock } from '../common/clock.js';
import { Cookies } from '../common/cookies.js';
import { CsrfTokens } from '../common/csrf-tokens.js';
import { TOKEN_INVALID, TOKEN_MISSING } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { transportOf } from '../common/transport.js';
import type { RequestSource } from '../common/request-source.js';
import { CookieSession } from '../protection/cookie-session.js';
import {
  agentFamily,
  DEVICE_COOKIE_SECONDS,
  type DeviceAtSignIn,
  type DeviceEvidence,
  DeviceKeys,
} from '../sessions/device.js';
import { type RefreshToken, RefreshTokens } from '../sessions/refresh-token.js';
import type { LiveSession } from '../sessions/sessions.repository.js';
import type { GrantedSession } from '../sessions/sessions.service.js';
import { AccessTokenIssuer } from '../tokens/access-token-issuer.js';
import type { RefreshResponse, SignInResponse } from './auth.schemas.js';
import type { SignedIn, SignedInHalfWay, SignInOrigin } from './signed-in.js';
import { toUserResponse } from './user-view.js';

const bearerOf = passportJwt.ExtractJwt.fromAuthHeaderAsBearerToken();

const CSRF_COOKIE_SECONDS = 7 * 86_400;

/** What the answer to a first step says of the second one. */
export const halfWayMembersOf = ({ halfWay, methods }: SignedInHalfWay) => ({
  mfa_token: halfWay.token,
  mfa_methods: methods,
  expires_in: halfWay.expiresInSeconds,
});

/** Carries tokens between client and service: in cookies, or in bodies for clients without any. */
@Injectable()
export class SessionTransport {
  constructor(
    private readonly cookies: Cookies,
    private readonly csrfTokens: CsrfTokens,
    private readonly cookieSession: CookieSession,
    private readonly refreshTokens: RefreshTokens,
    private readonly deviceKeys: DeviceKeys,
    private readonly accessTokens: AccessTokenIssuer,
    private readonly clock: Clock,
  ) {}

  /** The refresh token that the request presents, by its own transport alone. */
  refreshTokenOf(request: Request, body: { refresh_token?: string } | undefined): string | null {
    return transportOf(request) === 'body'
      ? (body?.refresh_token ?? null)
      : this.cookies.read(request, 'refresh_token');
  }

  /** The refresh token that the request presents, opened. @throws Problem `token_missing`, `token_invalid` */
  openRefreshToken(request: Request, body: { refresh_token?: string } | undefined): RefreshToken {
    const text = this.refreshTokenOf(request, body);
    if (text === null) throw new Problem(TOKEN_MISSING, { detail: 'No refresh token was sent. Sign in.' });
    const isCookie = transportOf(request) === 'cookie';
    const token = isCookie ? this.cookieSession.refreshTokenOf(request) : this.refreshTokens.open(text);
    if (!token) throw new Problem(TOKEN_INVALID);
    return token;
  }

  /** The genuine refresh token that the request presents of this very session; null without one. */
  refreshTokenOfSession(request: Request, body: { refresh_token?: string }, sessionId: string): RefreshToken | null {
    const token = this.refreshTokens.open(this.refreshTokenOf(request, body));
    return token?.sessionId === sessionId ? token : null;
  }

  /** The access token that the request presents: a bearer token, else the access cookie. */
  accessTokenOf(request: Request): string | null {
    return bearerOf(request) ?? (transportOf(request) === 'cookie' ? this.cookies.readAccessToken(request) : null);
  }

  /** What a sign-in of this request comes with; `deviceId` is what its body said. */
  originOf(request: Request, deviceId: string | undefined, source: RequestSource): SignInOrigin {
    return {
      device: this.deviceAtSignIn(request, deviceId),
      browser: this.browserOf(request),
      replaced: this.refreshTokenOf(request, undefined),
      source,
    };
  }

  /**
   * Tells a browser apart between the steps of a sign-in, before there is a session: by the CSRF token that it holds.
   * Clients without cookies are told apart by the kind of their agent.
   */
  browserOf(request: Request): string {
    if (transportOf(request) === 'body') return `agent|${agentFamily(request.headers['user-agent'] ?? null)}`;
    return `csrf|${this.cookies.read(request, 'XSRF-TOKEN') ?? ''}`;
  }

  /** What the request shows of its device; `deviceId` is what its body said. */
  deviceOf(request: Request, deviceId: string | undefined): DeviceEvidence {
    const cookie = transportOf(request) === 'cookie' ? this.cookies.read(request, 'device') : null;
    return {
      deviceKey: this.deviceKeys.open(cookie),
      deviceId: deviceId ?? null,
      userAgent: request.headers['user-agent']?.slice(0, 512) ?? null,
    };
  }

  /** The access token of a session that was proven anew. */
  answerStepUp(session: LiveSession): RefreshResponse {
    return {
      access_token: this.accessTokens.issue(session),
      token_type: 'bearer',
      expires_in: this.accessTokens.lifetimeSeconds,
    };
  }

  /** As {@link deviceOf}, at a sign-in: with a new name for a browser that may not keep its own. */
  deviceAtSignIn(request: Request, deviceId: string | undefined): DeviceAtSignIn {
    const isBrowser = transportOf(request) === 'cookie';
    return { ...this.deviceOf(request, deviceId), newKey: isBrowser ? this.deviceKeys.mint() : null };
  }

  /** Answers a sign-in: the tokens, and for a browser its device and CSRF cookies. */
  answerSignIn(signedIn: SignedIn, request: Request, response: Response): SignInResponse {
    if (transportOf(request) === 'cookie') {
      const { deviceKey } = signedIn.device;
      if (deviceKey) this.cookies.set(response, 'device', this.deviceKeys.seal(deviceKey), DEVICE_COOKIE_SECONDS);
      this.cookies.set(response, 'XSRF-TOKEN', this.csrfTokens.issue(signedIn.session.id), CSRF_COOKIE_SECONDS);
    }
    return { ...this.answerRefresh(signedIn, request, response), user: toUserResponse(signedIn.account) };
  }

  /** Answers with an access token, and the refresh token by the request's transport. */
  answerRefresh({ session, refreshToken }: GrantedSession, request: Request, response: Response): RefreshResponse {
    const expiresIn = this.accessTokens.lifetimeSeconds;
    const answer: RefreshResponse = {
      access_token: this.accessTokens.issue(session),
      token_type: 'bearer',
      expires_in: expiresIn,
    };
    if (transportOf(request) === 'body') return { ...answer, refresh_token: refreshToken };
    const lifeSeconds = session.refresh_expires_at - Math.floor(this.clock.now().getTime() / 1000);
    this.cookies.set(response, 'refresh_token', refreshToken, lifeSeconds);
    this.cookies.setAccessToken(response, answer.access_token, expiresIn);
    return answer;
  }

  /** The CSRF token of this browser: the one that it has while it is good, so that its tabs agree. */
  csrfToken(request: Request, response: Response): string {
    if (transportOf(request) === 'body') return this.csrfTokens.issue(null); // its cookies are neither read nor set
    const sessionId = this.cookieSession.idOf(request);
    const held = this.cookies.read(request, 'XSRF-TOKEN');
    const token = held && this.csrfTokens.verify(held, sessionId) ? held : this.csrfTokens.issue(sessionId);
    this.cookies.set(response, 'XSRF-TOKEN', token, CSRF_COOKIE_SECONDS);
    return token;
  }

  /** Takes back what a session left in the browser; the device stays known. */
  clear(request: Request, response: Response): void {
    if (transportOf(request) === 'body') return;
    this.cookies.clear(response, 'refresh_token');
    this.cookies.clear(response, 'access_token');
    this.cookies.clear(response, 'XSRF-TOKEN');
    response.setHeader('Clear-Site-Data', '"cache"');
  }
}

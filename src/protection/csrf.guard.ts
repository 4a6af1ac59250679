import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';

import { AuditLog } from '../audit/audit-log.js';
import { ALWAYS_CSRF } from '../common/access.js';
import { Cookies } from '../common/cookies.js';
import { CsrfTokens } from '../common/csrf-tokens.js';
import { CSRF_FAILED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { sourceOf } from '../common/request-source.js';
import { isFormTransport, transportOf } from '../common/transport.js';
import { CONFIG, type Config } from '../config/config.js';
import { CookieSession } from './cookie-session.js';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses what a foreign page could make a browser send: whatever a cookie could authenticate
 * needs the signed double-submit token, and comes from an origin of ours.
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  private readonly ownOrigin: string;

  constructor(
    private readonly reflector: Reflector,
    private readonly cookies: Cookies,
    private readonly tokens: CsrfTokens,
    private readonly session: CookieSession,
    private readonly audit: AuditLog,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.ownOrigin = new URL(config.http.publicUrl).origin;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    if (SAFE_METHODS.has(request.method)) return true;
    // An OAuth2 form needs no token, since it is answered without cookies; a foreign page may not send it either.
    if (isFormTransport(request)) return this.admit(this.originFaultOf(request), request);
    if (!this.isNeeded(request, context)) return true;
    return this.admit(this.faultOf(request), request);
  }

  private async admit(fault: string | null, request: Request): Promise<boolean> {
    if (!fault) return true;
    await this.audit.recordRefusal(
      {
        type: 'access.refused',
        details: { code: CSRF_FAILED.code, fault, method: request.method, path: request.path.slice(0, 256) },
      },
      sourceOf(request),
    );
    throw new Problem(CSRF_FAILED);
  }

  /** Not where no cookie is read, nor where a header that no foreign page can set is the only credential. */
  private isNeeded(request: Request, context: ExecutionContext): boolean {
    if (transportOf(request) === 'body') return false;
    const always = this.reflector.getAllAndOverride<boolean | undefined>(ALWAYS_CSRF, [
      context.getHandler(),
      context.getClass(),
    ]);
    const bearer = /^bearer /i.test(request.headers.authorization ?? '');
    if (always) return !bearer || this.cookies.read(request, 'refresh_token') !== null;
    return !bearer && this.cookies.readAccessToken(request) !== null;
  }

  private originFaultOf(request: Request): string | null {
    if (request.headers['sec-fetch-site'] === 'cross-site' && !this.isListed(request.headers.origin)) {
      return 'cross-site';
    }
    return this.isOwnOrigin(request) ? null : 'origin';
  }

  private faultOf(request: Request): string | null {
    const foreign = this.originFaultOf(request);
    if (foreign) return foreign;
    const cookie = this.cookies.read(request, 'XSRF-TOKEN');
    const header = request.headers['x-csrf-token'];
    if (!cookie || !header) return 'missing';
    if (cookie !== header) return 'different';
    return this.tokens.verify(cookie, this.session.idOf(request)) ? null : 'not ours';
  }

  /** No Origin: not a browser, or one that sends none for its own pages; the token decides then. */
  private isOwnOrigin({ headers }: Request): boolean {
    const { origin, host } = headers;
    if (origin === undefined) return true;
    return (
      origin === this.ownOrigin || origin === `http://${host}` || origin === `https://${host}` || this.isListed(origin)
    );
  }

  private isListed(origin: string | undefined): boolean {
    const { corsOrigins } = this.config.http;
    return origin !== undefined && origin !== 'null' && (corsOrigins.includes(origin) || corsOrigins.includes('*'));
  }
}

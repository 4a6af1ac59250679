import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';

import { AuditLog } from '../audit/audit-log.js';
import { Cookies } from '../common/cookies.js';
import { CsrfTokens } from '../common/csrf-tokens.js';
import { CSRF_FAILED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { sourceOf } from '../common/request-source.js';
import { requestOf } from '../common/route-context.js';
import { CookieSession } from './cookie-session.js';
import { CrossSite } from './cross-site.js';

/**
 * Refuses what a foreign page could make a browser send: whatever a cookie could authenticate
 * needs the signed double-submit token, and comes from an origin of ours.
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  constructor(
    private readonly crossSite: CrossSite,
    private readonly cookies: Cookies,
    private readonly tokens: CsrfTokens,
    private readonly session: CookieSession,
    private readonly audit: AuditLog,
  ) {}

  /** At once where all is well: Nest waits for no promise then. */
  canActivate(context: ExecutionContext): boolean | Promise<never> {
    const demand = this.crossSite.demandOf(context);
    if (demand === 'nothing') return true;
    const request = requestOf(context);
    const fault =
      this.crossSite.originFaultOf(request) ?? (demand === 'origin and token' ? this.tokenFaultOf(request) : null);
    return fault === null || this.refuse(fault, request);
  }

  private async refuse(fault: string, request: Request): Promise<never> {
    await this.audit.recordRefusal(
      {
        type: 'access.refused',
        details: { code: CSRF_FAILED.code, fault, method: request.method, path: request.path.slice(0, 256) },
      },
      sourceOf(request),
    );
    throw new Problem(CSRF_FAILED);
  }

  private tokenFaultOf(request: Request): string | null {
    const cookie = this.cookies.read(request, 'XSRF-TOKEN');
    const header = request.headers['x-csrf-token'];
    if (!cookie || !header) return 'missing';
    if (cookie !== header) return 'different';
    if (this.session.isTorn(request)) return 'two sessions';
    return this.tokens.verify(cookie, this.session.idOf(request)) ? null : 'not ours';
  }
}

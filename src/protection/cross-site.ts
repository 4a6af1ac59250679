import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';

import { ALWAYS_CSRF } from '../common/access.js';
import { declared, requestOf } from '../common/route-context.js';
import { Cookies } from '../common/cookies.js';
import { isFormTransport, transportOf } from '../common/transport.js';
import { CONFIG, type Config } from '../config/config.js';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** What a request has to show before a cookie of its may count. */
export type CsrfDemand = 'nothing' | 'origin' | 'origin and token';

/** Tells what a page of another site could have made a browser send. */
@Injectable()
export class CrossSite {
  private readonly ownOrigin: string;
  private readonly takesHttp: boolean;

  constructor(
    private readonly reflector: Reflector,
    private readonly cookies: Cookies,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.ownOrigin = new URL(config.http.publicUrl).origin;
    // Secure cookies never reach a page of http, save where that is the address that people are given.
    this.takesHttp = !config.cookies.secure || this.ownOrigin.startsWith('http:');
  }

  /** Nothing where no cookie is read, and where a header that no foreign page can set is the only credential. */
  demandOf(context: ExecutionContext): CsrfDemand {
    const request = requestOf(context);
    if (SAFE_METHODS.has(request.method)) return 'nothing';
    // An OAuth2 form needs no token, since it is answered without cookies; a foreign page may not send it either.
    if (isFormTransport(request)) return 'origin';
    if (transportOf(request) === 'body') return 'nothing';
    const always = declared<boolean>(this.reflector, ALWAYS_CSRF, context);
    const bearer = /^bearer /i.test(request.headers.authorization ?? '');
    const needsToken = always
      ? !bearer || this.cookies.read(request, 'refresh_token') !== null
      : !bearer && this.cookies.readAccessToken(request) !== null;
    return needsToken ? 'origin and token' : 'nothing';
  }

  /** Whether this is the request of a foreign page, which the CSRF guard refuses. */
  isForeign(context: ExecutionContext): boolean {
    const fault = this.originFaultOf(requestOf(context));
    return fault !== null && this.demandOf(context) !== 'nothing';
  }

  /** Why a request counts as a foreign page's; null where it does not. */
  originFaultOf({ headers }: Request): 'cross-site' | 'origin' | null {
    const { origin, host } = headers;
    if (this.isListed(origin)) return null;
    if (headers['sec-fetch-site'] === 'cross-site') return 'cross-site';
    // No Origin: not a browser, or one that sends none for its own pages; the token decides then.
    if (origin === undefined || origin === this.ownOrigin || origin === `https://${host}`) return null;
    return this.takesHttp && origin === `http://${host}` ? null : 'origin';
  }

  private isListed(origin: string | undefined): boolean {
    const { corsOrigins } = this.config.http;
    return origin !== undefined && origin !== 'null' && (corsOrigins.includes(origin) || corsOrigins.includes('*'));
  }
}

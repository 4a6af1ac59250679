import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

import { declared } from '../common/route-context.js';
import { CONFIG, type Config } from '../config/config.js';
import { CrossSite } from './cross-site.js';
import { RATE_LIMIT, type RateLimitName } from './rate-limit.js';
import { RequestCounter } from './request-counter.js';

/** Limits each client address; IPv6 by /64. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(
    private readonly counter: RequestCounter,
    private readonly reflector: Reflector,
    private readonly crossSite: CrossSite,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** At once where nothing is counted: Nest waits for no promise then. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const name = this.limitOf(context);
    const rate = name === 'none' ? null : this.config.throttle[name];
    return rate ? this.counter.count(context, name, rate) : true;
  }

  /** A foreign page could else use up the sign-ins and refreshes of whoever visits it; the CSRF guard refuses it next. */
  private limitOf(context: ExecutionContext): RateLimitName | 'none' {
    const own = declared<RateLimitName | 'none'>(this.reflector, RATE_LIMIT, context);
    return own === undefined || this.crossSite.isForeign(context) ? 'default' : own;
  }
}

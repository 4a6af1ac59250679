import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import type { Request } from 'express';

import { networkOf } from '../common/network.js';
import { RATE_LIMITED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { clientIp } from '../common/request-source.js';
import { CONFIG, type Config } from '../config/config.js';
import { CrossSite } from './cross-site.js';
import { RATE_LIMIT, type RateLimitName } from './rate-limit.js';

type Limited = Parameters<ThrottlerGuard['handleRequest']>[0];

/** Limits each client address; IPv6 by /64. */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  protected override headerPrefix = 'RateLimit';

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    private readonly crossSite: CrossSite,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super(options, storage, reflector);
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const name = this.limitOf(context);
    const rate = name === 'none' ? null : this.config.throttle[name];
    if (!rate) return true;
    const ttl = rate.seconds * 1000;
    return this.handleRequest({
      context,
      limit: rate.limit,
      ttl,
      blockDuration: ttl,
      throttler: { name: 'default', limit: rate.limit, ttl },
      getTracker: (request) => Promise.resolve(networkOf(clientIp(request as Request))),
      generateKey: (_context, tracker) => `${name}|${tracker}`,
    } satisfies Limited);
  }

  /** A foreign page could else use up the sign-ins and refreshes of whoever visits it; the CSRF guard refuses it next. */
  private limitOf(context: ExecutionContext): RateLimitName | 'none' {
    const own = this.reflector.getAllAndOverride<RateLimitName | 'none' | undefined>(RATE_LIMIT, [
      context.getHandler(),
      context.getClass(),
    ]);
    return own === undefined || this.crossSite.isForeign(context) ? 'default' : own;
  }

  protected override throwThrottlingException(
    ...[, { timeToBlockExpire }]: Parameters<ThrottlerGuard['throwThrottlingException']>
  ): Promise<void> {
    throw new Problem(RATE_LIMITED, { retryAfterSeconds: timeToBlockExpire });
  }
}

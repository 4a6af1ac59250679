import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ThrottlerGuard } from '@nestjs/throttler';
import type { Request } from 'express';

import { networkOf } from '../common/network.js';
import { RATE_LIMITED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { clientIp } from '../common/request-source.js';
import type { Rate } from '../config/config.schema.js';

type Limited = Parameters<ThrottlerGuard['handleRequest']>[0];

/** Counts requests by `@nestjs/throttler`, and says so in headers. */
@Injectable()
export class RequestCounter extends ThrottlerGuard {
  protected override headerPrefix = 'RateLimit';

  /** @throws Problem `rate_limited` */
  count(context: ExecutionContext, name: string, { limit, seconds }: Rate): Promise<boolean> {
    const ttl = seconds * 1000;
    return this.handleRequest({
      context,
      limit,
      ttl,
      blockDuration: ttl,
      throttler: { name: 'default', limit, ttl },
      getTracker: (request) => Promise.resolve(networkOf(clientIp(request as Request))),
      generateKey: (_context, tracker) => `${name}|${tracker}`,
    } satisfies Limited);
  }

  protected override throwThrottlingException(
    ...[, { timeToBlockExpire }]: Parameters<ThrottlerGuard['throwThrottlingException']>
  ): Promise<void> {
    throw new Problem(RATE_LIMITED, { retryAfterSeconds: timeToBlockExpire });
  }
}

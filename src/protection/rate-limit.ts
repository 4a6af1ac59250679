import { SetMetadata } from '@nestjs/common';

/** The counters that a route may fall under; each has its setting `THROTTLE_*`. */
export type RateLimitName = 'login' | 'refresh' | 'default';

export const RATE_LIMIT = Symbol('RateLimit');

/** Counts a route under another limit than `default`; `none` for probes, which must always answer. */
export const RateLimit = (name: RateLimitName | 'none') => SetMetadata(RATE_LIMIT, name);

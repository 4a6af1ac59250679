import type { ThrottlerStorage } from '@nestjs/throttler';

import type { Clock } from '../common/clock.js';

type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

const MAX_COUNTERS = 100_000;

/**
 * Counts requests in this process: a fixed window for each key. Its memory is bounded; past the
 * bound the oldest windows go first, which are the nearest to their end.
 */
export class MemoryRateStore implements ThrottlerStorage {
  private readonly windows = new Map<string, { hits: number; endsAt: number }>();

  constructor(private readonly clock: Clock) {}

  // eslint-disable-next-line @typescript-eslint/require-await -- the interface is made for stores that wait
  async increment(key: string, ttlMs: number, limit: number): Promise<Hit> {
    const now = this.clock.now().getTime();
    let window = this.windows.get(key);
    if (!window || window.endsAt <= now) {
      window = { hits: 0, endsAt: now + ttlMs };
      this.windows.delete(key); // set again below, so that the map stays in the order of age
      this.windows.set(key, window);
      this.forget(now);
    }
    window.hits++;
    const seconds = Math.ceil((window.endsAt - now) / 1000);
    return {
      totalHits: window.hits,
      timeToExpire: seconds,
      isBlocked: window.hits > limit,
      timeToBlockExpire: seconds,
    };
  }

  /** Drops a few windows that are over, and the oldest one while there are too many. */
  private forget(now: number): void {
    let looked = 0;
    for (const [key, { endsAt }] of this.windows) {
      if (endsAt > now && this.windows.size <= MAX_COUNTERS) return;
      this.windows.delete(key);
      if (++looked === 4) return;
    }
  }
}

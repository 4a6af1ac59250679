import type { ThrottlerStorage } from '@nestjs/throttler';
import type { Redis } from 'ioredis';

type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** Counts a hit in a fixed window and says how long the window still is: one key, so it runs on any Redis Cluster. */
const INCREMENT = `
local hits = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return { hits, left }`;

interface WithIncrement {
  countHit(key: string, ttlMs: number): Promise<[hits: number, leftMs: number]>;
}

/** Counts requests in Redis, atomically, for all processes together. Every key expires by itself. */
export class RedisRateStore implements ThrottlerStorage {
  constructor(private readonly redis: Redis) {
    redis.defineCommand('countHit', { numberOfKeys: 1, lua: INCREMENT });
  }

  /** @throws where Redis is away or slower than the client's command time-out */
  async increment(key: string, ttlMs: number, limit: number): Promise<Hit> {
    const [totalHits, leftMs] = await (this.redis as unknown as WithIncrement).countHit(
      `latchkey:rate:{${key}}`,
      ttlMs,
    );
    const seconds = Math.max(1, Math.ceil(leftMs / 1000));
    return { totalHits, timeToExpire: seconds, isBlocked: totalHits > limit, timeToBlockExpire: seconds };
  }
}

import type { OnModuleDestroy } from '@nestjs/common';
import type { ThrottlerStorage } from '@nestjs/throttler';
import type { Redis } from 'ioredis';

import type { Clock } from '../common/clock.js';
import type { Logger } from '../common/logging.js';
import { FallbackRateStore } from './fallback-rate-store.js';
import { MemoryRateStore } from './memory-rate-store.js';
import { RedisRateStore } from './redis-rate-store.js';

const COMMAND_TIMEOUT_MS = 150;

/** The counters of the rate limits: this process's memory, or Redis with the memory behind it. */
export class RateStore implements ThrottlerStorage, OnModuleDestroy {
  private constructor(
    private readonly store: ThrottlerStorage,
    private readonly redis: Redis | null,
  ) {}

  static async open(redisUrl: string | null, clock: Clock, logger: Logger): Promise<RateStore> {
    const memory = new MemoryRateStore(clock);
    if (redisUrl === null) return new RateStore(memory, null);
    const redis = await connect(redisUrl);
    return new RateStore(new FallbackRateStore(new RedisRateStore(redis), memory, logger), redis);
  }

  /** Whether Redis is away, so that limits hold for this process alone. */
  get isDegraded(): boolean {
    return this.store instanceof FallbackRateStore && this.store.isDegraded;
  }

  increment(...hit: Parameters<ThrottlerStorage['increment']>) {
    return this.store.increment(...hit);
  }

  onModuleDestroy(): void {
    this.redis?.disconnect();
  }
}

/** Fails fast: a request never waits for Redis to come back, nor for one that stalls. */
async function connect(url: string): Promise<Redis> {
  const { Redis } = await import('ioredis'); // a service without Redis need not load it
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2000),
  });
  redis.on('error', () => {}); // the store says it, once
  return redis;
}

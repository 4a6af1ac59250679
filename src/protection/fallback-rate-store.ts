import type { ThrottlerStorage } from '@nestjs/throttler';

import type { Logger } from '../common/logging.js';

type Increment = Parameters<ThrottlerStorage['increment']>;

const RETRY_AFTER_MS = 1000;

/**
 * Counts in the shared store, and in this process's memory while that one is away: never without a
 * limit. After a failure it is left alone for a second, so that a stall costs one request's time-out.
 */
export class FallbackRateStore implements ThrottlerStorage {
  private awaySince: number | null = null;
  private nextTry = 0;

  constructor(
    private readonly shared: ThrottlerStorage,
    private readonly own: ThrottlerStorage,
    private readonly logger: Logger,
  ) {}

  /** Whether limits hold for this process alone at the moment. */
  get isDegraded(): boolean {
    return this.awaySince !== null;
  }

  async increment(...hit: Increment) {
    if (performance.now() < this.nextTry) return this.own.increment(...hit);
    try {
      const counted = await this.shared.increment(...hit);
      this.back();
      return counted;
    } catch (error) {
      this.away(error);
      return this.own.increment(...hit);
    }
  }

  private away(error: unknown): void {
    this.nextTry = performance.now() + RETRY_AFTER_MS;
    if (this.awaySince !== null) return;
    this.awaySince = performance.now();
    this.logger.warn({ err: error }, 'Redis is away: each process counts requests for itself until it is back');
  }

  private back(): void {
    if (this.awaySince === null) return;
    const seconds = Math.round((performance.now() - this.awaySince) / 1000);
    this.awaySince = null;
    this.logger.info({ seconds }, 'Redis is back: requests are counted together again');
  }
}

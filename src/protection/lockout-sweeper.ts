import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { Clock } from '../common/clock.js';
import { Logger } from '../common/logging.js';
import { LockoutRepository } from './lockout.repository.js';

const EVERY_MS = 60_000;
const BATCH = 1000;
const BATCHES_A_ROUND = 50;

/** Removes counters that are over, in small batches; replicas take turns by skipping locked rows. */
@Injectable()
export class LockoutSweeper implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout;

  constructor(
    private readonly repository: LockoutRepository,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Removes what is over now. */
  async sweep(): Promise<void> {
    try {
      for (let batch = 0; batch < BATCHES_A_ROUND; batch++) {
        if ((await this.repository.sweep(this.clock.now(), BATCH)) < BATCH) return;
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'old login counters were not removed; the next try is in a minute');
    }
  }
}

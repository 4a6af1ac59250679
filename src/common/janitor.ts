import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Database } from '../database/database.js';
import { Clock } from './clock.js';
import { Logger } from './logging.js';

const EVERY_MS = 60_000;
const ROUND_MS = 20_000;
/** No lock is held for longer than twice this: a batch that took more is followed by smaller ones. */
const BATCH_MS = 50;
const FIRST_BATCH = 200;
const LARGEST_BATCH = 5000;
/** Any constant: whoever tidies a Latchkey database holds this advisory lock, for one batch. */
const LOCK_KEY = 7_205_759_404;

/** Removes rows of one table that are over. */
export interface Chore {
  readonly name: string;
  /** Removes at most `limit` rows within `tx`, skipping those that are locked. Returns how many. */
  sweep(tx: EntityManager, now: Date, limit: number): Promise<number>;
}

/**
 * Removes what is long over, in small batches that are transactions of their own. Replicas take
 * turns by an advisory lock; one that finds it taken leaves the round to the other.
 */
@Injectable()
export class Janitor implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly chores: Chore[] = [];
  private timer: NodeJS.Timeout;
  private closing = false;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Adds a chore; features do so when they are made. */
  add(chore: Chore): void {
    this.chores.push(chore);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.tidy(), EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    this.closing = true;
    clearInterval(this.timer);
  }

  /** Does all chores until nothing is over any more, or the round has taken long enough. */
  async tidy(): Promise<void> {
    if (!this.database.isReady) return;
    const deadline = performance.now() + ROUND_MS;
    for (const chore of this.chores) {
      try {
        await this.do(chore, deadline);
      } catch (error) {
        this.logger.warn({ err: error, chore: chore.name }, 'tidying failed; the next try is in a minute');
      }
    }
  }

  private async do(chore: Chore, deadline: number): Promise<void> {
    let limit = FIRST_BATCH;
    while (!this.closing && performance.now() < deadline) {
      const begun = performance.now();
      const removed = await this.batch(chore, limit);
      if (removed === null || removed < limit) return;
      const took = performance.now() - begun;
      limit = Math.max(1, Math.min(LARGEST_BATCH, Math.floor((limit * BATCH_MS) / Math.max(took, 1))));
    }
  }

  /** Null where another replica is tidying. */
  private batch(chore: Chore, limit: number): Promise<number | null> {
    return this.database.transaction(async (tx) => {
      const [{ mine }] = await tx.query<[{ mine: boolean }]>('select pg_try_advisory_xact_lock($1) as mine', [
        LOCK_KEY,
      ]);
      return mine ? chore.sweep(tx, this.clock.now(), limit) : null;
    });
  }
}

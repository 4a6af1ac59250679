import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { Logger } from '../common/logging.js';
import { networkOf } from '../common/network.js';

/** Rows a minute for one network: enough to see what somebody tries. */
export const ROWS_A_NETWORK = 30;
/** Bounds the memory, and with it the rows a minute of a flood from everywhere. */
const NETWORKS = 10_000;
const NETWORKS_LOGGED = 10;
const EVERY_MS = 60_000;

/**
 * Bounds the rows of refusals that nobody had to sign in for, so that a flood of them cannot fill
 * the table. What is over the bound is counted, and logged once a minute. Each process counts for itself.
 */
@Injectable()
export class RefusalBudget implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly seen = new Map<string, number>();
  private unknownNetworks = 0;
  private timer: NodeJS.Timeout;

  constructor(private readonly logger: Logger) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.renew(), EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    this.renew();
  }

  /** Whether a refusal of this address may have a row of its own. */
  take(ip: string): boolean {
    const network = networkOf(ip);
    const seen = this.seen.get(network) ?? 0;
    if (seen === 0 && this.seen.size >= NETWORKS) {
      this.unknownNetworks++;
      return false;
    }
    this.seen.set(network, seen + 1);
    return seen < ROWS_A_NETWORK;
  }

  /** Begins the next minute, and says what the last one left out. */
  renew(): void {
    const over = [...this.seen]
      .map(([network, seen]) => ({ network, refusals: seen - ROWS_A_NETWORK }))
      .filter(({ refusals }) => refusals > 0)
      .toSorted((a, b) => b.refusals - a.refusals);
    const total = over.reduce((sum, { refusals }) => sum + refusals, this.unknownNetworks);
    if (total > 0) {
      this.logger.warn({ total, networks: over.slice(0, NETWORKS_LOGGED) }, 'too many refusals to audit each of them');
    }
    this.seen.clear();
    this.unknownNetworks = 0;
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { InjectThrottlerStorage, type ThrottlerStorage } from '@nestjs/throttler';

import { Clock } from '../common/clock.js';
import { networkOf } from '../common/network.js';
import { RATE_LIMITED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { CONFIG, type Config } from '../config/config.js';

/** Past so many times the limit, a network's requests are looked at no more, but for those of clients that are known there. */
const FLOOD_FACTOR = 10;
const MAX_REMEMBERED = 10_000;

/**
 * Holds back services that fail to authenticate, by network, and never those that do not. A right secret has 256 random
 * bits, so nobody guesses one: what a limit saves is the database and the log, from a loop or a flood. So it counts
 * failures alone, and a right credential is let in whatever was counted. Only a flood is refused without a look, and even then
 * not whoever names a client that authenticated from that network before (docs/adr/0013).
 */
@Injectable()
export class FailedClients {
  /** Networks that flood, and until when, in milliseconds since 1970. */
  private readonly floods = new Map<string, number>();
  /** Networks with the clients that authenticated from there; the latest last. */
  private readonly proven = new Set<string>();

  constructor(
    @InjectThrottlerStorage() private readonly storage: ThrottlerStorage,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Before anything is looked at. @throws Problem `rate_limited` in a flood */
  admit(ip: string, clientId: string): void {
    const network = networkOf(ip);
    const endsAt = this.floods.get(network);
    if (endsAt === undefined) return;
    const leftMs = endsAt - this.clock.now().getTime();
    if (leftMs <= 0) this.floods.delete(network);
    else if (!this.proven.has(placeOf(network, clientId.toLowerCase())))
      throw new Problem(RATE_LIMITED, { retryAfterSeconds: leftMs / 1000 });
  }

  /** The client is who it says. `clientId`: as it is kept, since a UUID has many spellings. */
  succeed(ip: string, clientId: string): void {
    const place = placeOf(networkOf(ip), clientId);
    this.proven.delete(place); // set again, so that the set stays in the order of use
    this.proven.add(place);
    if (this.proven.size > MAX_REMEMBERED) this.proven.delete(this.proven.values().next().value!);
  }

  /** It is not. @throws Problem `rate_limited` where there were too many such */
  async fail(ip: string): Promise<void> {
    const rate = this.config.throttle.client;
    if (rate === null) return;
    const network = networkOf(ip);
    const ttlMs = rate.seconds * 1000;
    const counted = await this.storage.increment(`client|${network}`, ttlMs, rate.limit, ttlMs, 'default');
    if (counted.totalHits <= rate.limit) return;
    if (counted.totalHits > rate.limit * FLOOD_FACTOR) this.remember(network, counted.timeToExpire);
    throw new Problem(RATE_LIMITED, { retryAfterSeconds: counted.timeToExpire });
  }

  private remember(network: string, seconds: number): void {
    this.floods.delete(network);
    this.floods.set(network, this.clock.now().getTime() + seconds * 1000);
    if (this.floods.size > MAX_REMEMBERED) this.floods.delete(this.floods.keys().next().value!);
  }
}

const placeOf = (network: string, clientId: string): string => `${network}|${clientId}`;

import { createHmac, type KeyObject } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { parse as parseUuid } from 'uuid';

import { Clock } from '../common/clock.js';
import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { networkOf } from '../common/network.js';
import { ACCOUNT_LOCKED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { CONFIG, type Config } from '../config/config.js';
import { type CountedAttempt, LockoutRepository, type LockoutRule, parametersOf } from './lockout.repository.js';

const DAY_SECONDS = 86_400;
const LONGEST_LOCK_SECONDS = DAY_SECONDS;
/** NIST SP 800-63B, section 3.2.2: no more than 100 failures in a row go unhindered, over whatever time. */
const STREAK_LIMIT = 100;
const STREAK_MEMORY_SECONDS = 30 * DAY_SECONDS;

/**
 * What has a counter of its own: a network, a browser that this user signed in with before, a session of theirs; or
 * one of their second factors, at all networks together, but for each known browser or session by itself.
 */
export type LockoutPlace =
  { ip: string } | { deviceKey: string } | { sessionId: string } | { factor: string; of: string | null };

/** A counted attempt that may go on. */
export interface AdmittedAttempt {
  readonly counted: CountedAttempt;
  /** What a success clears: the place, its streak, and the streak of all networks. */
  readonly forgiven: readonly Buffer[];
  /** Whether the place is locked unless this attempt succeeds. */
  readonly locks: boolean;
}

/**
 * Holds guessers back by (subject, place): a stranger locks a name for their own network alone,
 * and never for a browser that its owner uses. Names that nobody has are counted alike.
 */
@Injectable()
export class Lockout {
  private readonly key: KeyObject;
  private readonly rule: LockoutRule;

  constructor(
    private readonly repository: LockoutRepository,
    private readonly clock: Clock,
    keys: DerivedKeys,
    @Inject(CONFIG) { lockout }: Config,
  ) {
    this.key = keys.of('login-counter');
    this.rule = {
      maxAttempts: lockout.attempts,
      streakLimit: STREAK_LIMIT,
      firstLockSeconds: lockout.seconds,
      longestLockSeconds: Math.max(LONGEST_LOCK_SECONDS, lockout.seconds),
      placeMemorySeconds: DAY_SECONDS,
      streakMemorySeconds: STREAK_MEMORY_SECONDS,
    };
  }

  /**
   * Counts an attempt at an account's password or factor, before that is looked at.
   * @throws Problem `account_locked` where there were too many; then nothing may be verified
   */
  async admit(userId: string, place: LockoutPlace): Promise<AdmittedAttempt> {
    const where = { subject: bytesOf(userId), place: this.placeKey(place), isOwn: !('ip' in place) };
    const admitted = this.judge(await this.repository.count(where, this.rule, this.clock.now()));
    // A second factor says nothing of who guesses at the password elsewhere.
    return 'factor' in place ? { ...admitted, forgiven: admitted.forgiven.slice(0, 2) } : admitted;
  }

  /** What a statement needs that counts an attempt itself, by `countAttempt`. */
  parameters(): unknown[] {
    return parametersOf(this.rule, this.clock.now());
  }

  /** The subject that a name is for which no account is found. */
  nameKey(name: string): Buffer {
    return this.mac(`name|${name}`);
  }

  placeKey(place: LockoutPlace): Buffer {
    return this.mac(placeText(place));
  }

  /** @throws Problem `account_locked` where a counted attempt may not go on */
  judge(counted: CountedAttempt): AdmittedAttempt {
    if (!counted.allowed) {
      const now = this.clock.now().getTime();
      throw new Problem(ACCOUNT_LOCKED, {
        retryAfterSeconds: ((counted.lock_ends_at?.getTime() ?? now) - now) / 1000,
      });
    }
    const { place_key, streak_key, shared_key, locks_now } = counted;
    return { counted, forgiven: [place_key, streak_key, shared_key], locks: locks_now };
  }

  /** The attempt succeeded: within `tx`, what counted against it starts anew. */
  async succeed(tx: EntityManager, { forgiven }: AdmittedAttempt): Promise<void> {
    await this.repository.forget(tx, forgiven);
  }

  /** The attempt was counted, but nothing was verified after all: it counts no more. */
  async retract({ counted }: AdmittedAttempt): Promise<void> {
    await this.repository.retract(counted);
  }

  /** Releases an account at every place. Returns how many counters it had. */
  release(tx: EntityManager, userId: string): Promise<number> {
    return this.repository.release(tx, bytesOf(userId));
  }

  private mac(text: string): Buffer {
    return createHmac('sha256', this.key).update(text).digest();
  }
}

const bytesOf = (userId: string): Buffer => Buffer.from(parseUuid(userId));

function placeText(place: LockoutPlace): string {
  if ('ip' in place) return `network|${networkOf(place.ip)}`;
  if ('factor' in place) return `factor|${place.factor}|${place.of ?? ''}`;
  return 'deviceKey' in place ? `device|${place.deviceKey}` : `session|${place.sessionId}`;
}

import { createHmac, type KeyObject } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Clock } from '../common/clock.js';
import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { networkOf } from '../common/network.js';
import { ACCOUNT_LOCKED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { CONFIG, type Config } from '../config/config.js';
import { type CountedAttempt, type CounterKeys, LockoutRepository, type LockoutRule } from './lockout.repository.js';

const DAY_SECONDS = 86_400;
const LONGEST_LOCK_SECONDS = DAY_SECONDS;
/** NIST SP 800-63B, section 3.2.2: no more than 100 failures in a row go unhindered, over whatever time. */
const STREAK_LIMIT = 100;
const STREAK_MEMORY_SECONDS = 30 * DAY_SECONDS;

/** Whose password is tried: an account, or a name that nobody has. */
export type LockoutSubject = { userId: string } | { unknownName: string };

/** From where: a network, a browser that this user signed in with before, or a session of theirs. */
export type LockoutPlace = { ip: string } | { deviceKey: string } | { sessionId: string };

/** A counted attempt that may go on. */
export interface AdmittedAttempt {
  readonly keys: CounterKeys;
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
   * Counts an attempt, before the password is looked at.
   * @throws Problem `account_locked` where there were too many; then nothing may be verified
   */
  async admit(subject: LockoutSubject, place: LockoutPlace): Promise<AdmittedAttempt> {
    const now = this.clock.now();
    const keys = this.keysOf(subject, place);
    const counted: CountedAttempt = await this.repository.count(keys, this.rule, now);
    if (!counted.allowed) {
      const seconds = ((counted.lock_ends_at?.getTime() ?? now.getTime()) - now.getTime()) / 1000;
      throw new Problem(ACCOUNT_LOCKED, { retryAfterSeconds: seconds });
    }
    return { keys, forgiven: [keys.place, keys.streak, this.sharedStreakOf(subject)], locks: counted.locks_now };
  }

  /** The attempt succeeded: within `tx`, what counted against it starts anew. */
  async succeed(tx: EntityManager, { forgiven }: AdmittedAttempt): Promise<void> {
    await this.repository.forget(tx, forgiven);
  }

  /** The attempt was counted, but nothing was verified after all: it counts no more. */
  async retract({ keys, locks }: AdmittedAttempt): Promise<void> {
    await this.repository.retract(keys, locks);
  }

  /** Releases an account at every place. Returns how many counters it had. */
  release(tx: EntityManager, userId: string): Promise<number> {
    return this.repository.release(tx, this.mac(`user|${userId}`));
  }

  private keysOf(subject: LockoutSubject, place: LockoutPlace): CounterKeys {
    const who = textOf(subject);
    const here = `${who}|${placeText(place)}`;
    return {
      subject: this.mac(who),
      place: this.mac(here),
      // Strangers on many networks must not slow a browser or session that is the owner's own.
      streak: 'ip' in place ? this.sharedStreakOf(subject) : this.mac(`${here}|streak`),
    };
  }

  private sharedStreakOf(subject: LockoutSubject): Buffer {
    return this.mac(`${textOf(subject)}|everywhere`);
  }

  private mac(text: string): Buffer {
    return createHmac('sha256', this.key).update(text).digest();
  }
}

const textOf = (subject: LockoutSubject): string =>
  'userId' in subject ? `user|${subject.userId}` : `name|${subject.unknownName}`;

function placeText(place: LockoutPlace): string {
  if ('ip' in place) return `network|${networkOf(place.ip)}`;
  return 'deviceKey' in place ? `device|${place.deviceKey}` : `session|${place.sessionId}`;
}

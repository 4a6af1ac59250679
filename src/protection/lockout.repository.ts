import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Chore } from '../common/janitor.js';
import { Database, type Statement } from '../database/database.js';

export interface LockoutRule {
  readonly maxAttempts: number;
  readonly streakLimit: number;
  readonly firstLockSeconds: number;
  readonly longestLockSeconds: number;
  /** How long a place is remembered after its last attempt or lock, and a streak after its last failure. */
  readonly placeMemorySeconds: number;
  readonly streakMemorySeconds: number;
}

/** Whose attempt it is, and where from; neither tells a name or an address. */
export interface CountedWhere {
  /** An account's id as 16 bytes, or the HMAC of a name that nobody has. */
  readonly subject: Buffer;
  /** The HMAC of a network, of a known browser, or of what else has its own counter. */
  readonly place: Buffer;
  /** Whether failures in a row count there alone, and not with those of all networks. */
  readonly isOwn: boolean;
}

/** `type`, since an interface is no row of pg's. */
export type CountedAttempt = {
  /** Whether the password may be looked at. */
  allowed: boolean;
  /** Whether this very attempt set the lock; a success takes it back. */
  locks_now: boolean;
  lock_ends_at: Date | null;
  /** The counters: of this place, of failures in a row there, and of those at all networks. */
  place_key: Buffer;
  streak_key: Buffer;
  shared_key: Buffer;
};

/**
 * The call that counts an attempt, for use in a statement.
 * @param first The number of the first of the parameters that `parametersOf` gives.
 */
export const countAttempt = (subject: string, place: string, isOwn: string, first: number): string => {
  const parameter = (index: number): string => `$${first + index}`;
  const spans = [3, 4, 5, 6].map((index) => `make_interval(secs => ${parameter(index)})`);
  return `count_login_attempt(${[subject, place, isOwn, parameter(0), parameter(1), parameter(2), ...spans].join(', ')})`;
};

export const parametersOf = (rule: LockoutRule, now: Date): unknown[] => [
  now,
  rule.maxAttempts,
  rule.streakLimit,
  rule.firstLockSeconds,
  rule.longestLockSeconds,
  rule.placeMemorySeconds,
  rule.streakMemorySeconds,
];

const COUNT: Statement = {
  name: 'login-attempt-count',
  text: `select * from ${countAttempt('$1', '$2', '$3', 4)}`,
};

const RETRACT: Statement = {
  name: 'login-attempt-retract',
  text: `
  update login_counters
     set attempts = greatest(attempts - 1, 0),
         locks = case when $3 and key = $1 then greatest(locks - 1, 0) else locks end,
         locked_until = case when $3 and key = $1 then null else locked_until end
   where key in ($1, $2)`,
};

/** In the order in which an attempt is counted, so that the two never wait for each other. */
const FORGET = `
  delete from login_counters where key in (
    select key from login_counters where key = any($1) order by array_position($1, key) for update
  )`;
const RELEASE = 'delete from login_counters where subject = $1';
const SWEEP = `
  delete from login_counters where key in (
    select key from login_counters where expires_at <= $1 order by expires_at limit $2 for update skip locked
  )`;

/** The table `login_counters`. */
@Injectable()
export class LockoutRepository implements Chore {
  readonly name = 'login counters';

  constructor(private readonly database: Database) {}

  /** Counts an attempt, atomically, and says whether it may go on. */
  async count({ subject, place, isOwn }: CountedWhere, rule: LockoutRule, now: Date): Promise<CountedAttempt> {
    const [counted] = await this.database.run<CountedAttempt>(COUNT, [
      subject,
      place,
      isOwn,
      ...parametersOf(rule, now),
    ]);
    return counted;
  }

  /** Takes a counted attempt back, with the lock that it set. */
  async retract({ place_key, streak_key, locks_now }: CountedAttempt): Promise<void> {
    await this.database.run(RETRACT, [place_key, streak_key, locks_now]);
  }

  async forget(tx: EntityManager, keys: readonly Buffer[]): Promise<void> {
    await tx.query(FORGET, [keys]);
  }

  /** Releases the subject everywhere. Returns how many counters went. */
  async release(tx: EntityManager, subject: Buffer): Promise<number> {
    const [, count] = await tx.query<[unknown, number]>(RELEASE, [subject]);
    return count;
  }

  /** Removes up to `limit` counters that are over. Returns how many. */
  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const [, count] = await tx.query<[unknown, number]>(SWEEP, [now, limit]);
    return count;
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Chore } from '../common/janitor.js';
import { Database, type Statement } from '../database/database.js';

/** Where an attempt is counted: HMACs, so that the table tells nobody's name. */
export interface CounterKeys {
  /** The account, or the name that nobody has. */
  readonly subject: Buffer;
  /** The subject at this network, or in this known browser. */
  readonly place: Buffer;
  /** Whose failures in a row count here: of all networks together, or of this known browser or session alone. */
  readonly streak: Buffer;
}

export interface LockoutRule {
  readonly maxAttempts: number;
  readonly streakLimit: number;
  readonly firstLockSeconds: number;
  readonly longestLockSeconds: number;
  /** How long a place is remembered after its last attempt or lock, and a streak after its last failure. */
  readonly placeMemorySeconds: number;
  readonly streakMemorySeconds: number;
}

export interface CountedAttempt {
  /** Whether the password may be looked at. */
  allowed: boolean;
  /** Whether this very attempt set the lock; a success takes it back. */
  locks_now: boolean;
  lock_ends_at: Date | null;
}

const seconds = (parameter: string): string => `make_interval(secs => ${parameter})`;

const COUNT: Statement = {
  name: 'login-attempt-count',
  text: `select * from count_login_attempt($1, $2, $3, $4, $5, $6, ${['$7', '$8', '$9', '$10'].map(seconds).join(', ')})`,
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

const FORGET = 'delete from login_counters where key = any($1)';
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
  async count({ subject, place, streak }: CounterKeys, rule: LockoutRule, now: Date): Promise<CountedAttempt> {
    const { maxAttempts, streakLimit, firstLockSeconds, longestLockSeconds, placeMemorySeconds, streakMemorySeconds } =
      rule;
    const spans = [firstLockSeconds, longestLockSeconds, placeMemorySeconds, streakMemorySeconds];
    const values = [subject, place, streak, now, maxAttempts, streakLimit, ...spans];
    return (await this.database.run<CountedAttempt & Record<string, unknown>>(COUNT, values))[0];
  }

  /** Takes a counted attempt back, with the lock that it set. */
  async retract({ place, streak }: CounterKeys, locked: boolean): Promise<void> {
    await this.database.run(RETRACT, [place, streak, locked]);
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

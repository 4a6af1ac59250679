import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Chore } from '../common/janitor.js';
import { Database, type Statement } from '../database/database.js';
import type { RevocationEntry, RevocationReason } from './revocation.js';
import type { Revocation } from './revocation.entity.js';

/** Where the feed tells that there is something new. */
export const REVOCATIONS_CHANNEL = 'latchkey_revocations';

export interface EndedSession {
  id: string;
  user_id: string;
}

export interface CutOff {
  tokens_valid_from: Date;
  /** The sessions that were live. */
  sessions: string[];
}

/** An entry with the place where a reader found it. */
export interface PlacedEntry extends RevocationEntry {
  readonly position: number;
}

/** What a look at the feed saw. */
export interface FeedSight {
  /** All transactions before this one are over: the next look may begin here and misses nothing. */
  horizon: number;
  entries: PlacedEntry[];
}

/**
 * All ends of sessions take the user's row, where all of theirs are meant, and then the sessions'
 * rows in the order of their ids, so that no two can block each other for ever.
 */
const LOCK_USER = 'select from users where id = $1 for no key update';

const END_SESSION = `
  with doomed as (
    select id from sessions where id = $1 and ended_at is null and ($4::bytea is null or salt_hash = $4) for update
  )
  update sessions s set ended_at = $2, end_reason = $3 from doomed where s.id = doomed.id
  returning s.id, s.user_id`;

const END_OTHERS = `
  with doomed as (
    select id from sessions where user_id = $1 and id <> $4 and ended_at is null order by id for update
  )
  update sessions s set ended_at = $2, end_reason = $3 from doomed where s.id = doomed.id
  returning s.id, s.user_id`;

/** Ends those beyond `$4` that were seen longest ago, but never `$5`, which has just begun. */
const END_SURPLUS = `
  with doomed as (
    select id from sessions
     where id in (
       select id from sessions
        where user_id = $1 and ended_at is null and expires_at > $2 and idle_expires_at > $2
        order by id = $5 desc, last_seen_at desc, id desc offset $4)
       and ended_at is null
     order by id for update
  )
  update sessions s set ended_at = $2, end_reason = $3 from doomed where s.id = doomed.id
  returning s.id, s.user_id`;

/**
 * Moves a user's cut-off past every access token that was issued. A token's iat has whole seconds,
 * so the cut-off is the next whole second, and tokens that come after it wait for none: they name
 * the cut-off itself as their iat (docs/adr/0008). Sessions tell when theirs were issued, by the
 * clock of whichever replica did it.
 */
const CUT_OFF = `
  with live as (
    select id, greatest(created_at, rotated_at, auth_time) as issued_at
      from sessions where user_id = $1 and ended_at is null order by id for update
  ), latest as (
    select greatest($2::timestamptz, max(issued_at)) as at from live
  ), cut_off as (
    select latest.at, greatest(
             date_trunc('second', latest.at) + interval '1 second',
             u.tokens_valid_from
               + case when exists (select from live where issued_at > u.cut_off_at) then interval '1 second' else interval '0' end
           ) as tokens_valid_from
      from users u, latest where u.id = $1
  ), account as (
    update users u set cut_off_at = cut_off.at, tokens_valid_from = cut_off.tokens_valid_from from cut_off where u.id = $1
  ), told as (
    update sessions s
       set tokens_valid_from = cut_off.tokens_valid_from,
           ended_at = case when $3::text is null then s.ended_at else $2 end,
           end_reason = coalesce($3, s.end_reason)
      from live, cut_off where s.id = live.id
  )
  select tokens_valid_from, array(select id from live) as sessions from cut_off`;

const DISABLE_CLIENT = 'update clients set disabled_at = $2 where id = $1 and disabled_at is null returning id';

const LOCK_CLIENT = 'select from clients where id = $1 for no key update';

/**
 * Two seconds on, taken under the lock: a token that is made while this commits, of what the client was before, has an
 * earlier iat; one that is made after it names the cut-off itself, like a user's. Each cut-off is past the one before, so
 * several changes in a row put it further ahead; the revoker says how far.
 */
const CUT_OFF_CLIENT = `
  update clients
     set tokens_valid_from = greatest(date_trunc('second', $2::timestamptz) + interval '2 seconds',
                                      tokens_valid_from + interval '1 second')
   where id = $1 returning tokens_valid_from`;

/** Any constant: with a token's hash, what revocations of one token take turns by. */
const TOKEN_LOCKS = 720_575_941;

/** The feed's rows, and the word that there are some; told at COMMIT. */
const TELL = `
  with told as (
    insert into revocations (id, kind, subject, issued_before, reason, revoked_at, expires_at)
    select unnest($1::uuid[]), $2, unnest($3::text[]), $4::timestamptz, $5, $6::timestamptz, $7::timestamptz
  )
  select pg_notify('${REVOCATIONS_CHANNEL}', '')`;

const COLUMNS = `id, position, kind, subject, extract(epoch from issued_before)::bigint as issued_before, reason,
  to_char(revoked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as revoked_at,
  to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as expires_at`;

/** One snapshot for the rows and for how far they reach. */
const LOOK: Statement = {
  name: 'revocations-look',
  text: `
  select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon,
         coalesce((
           select json_agg(entry) from (
             select ${COLUMNS} from revocations
              where position >= $1 and (position, id) > ($2, $3::uuid) and expires_at > $4
              order by position, id limit $5
           ) entry
         ), '[]') as entries`,
};

const SWEEP = `
  delete from revocations where id in (
    select id from revocations where expires_at <= $1 order by expires_at limit $2 for update skip locked
  )`;

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** The table `revocations`, and the states that a revocation changes. */
@Injectable()
export class RevocationsRepository implements Chore {
  readonly name = 'revocations';

  constructor(private readonly database: Database) {}

  /** Holds a user's sign-ins, and other ends of all their sessions, back until `tx` is over. */
  async lockUser(tx: EntityManager, userId: string): Promise<void> {
    await tx.query(LOCK_USER, [userId]);
  }

  /** Ends a session that lives; where a salt's hash is given, only the one that it belongs to. */
  endSession(tx: EntityManager, id: string, saltHash: Buffer | null, reason: RevocationReason, now: Date) {
    return ended(tx, END_SESSION, [id, now, reason, saltHash]);
  }

  /** Ends all live sessions of a user but one. */
  endOthers(tx: EntityManager, userId: string, keptId: string, reason: RevocationReason, now: Date) {
    return ended(tx, END_OTHERS, [userId, now, reason, keptId]);
  }

  /** Ends a user's live sessions beyond `max`, those that were seen longest ago, and never `keptId`. */
  endSurplus(tx: EntityManager, userId: string, keptId: string, max: number, reason: RevocationReason, now: Date) {
    return ended(tx, END_SURPLUS, [userId, now, reason, max, keptId]);
  }

  /** Moves the user's cut-off, and ends all live sessions where a reason for that is given. Null without such a user. */
  async cutOff(tx: EntityManager, userId: string, endReason: RevocationReason | null, now: Date) {
    return (await tx.query<CutOff[]>(CUT_OFF, [userId, now, endReason]))[0] ?? null;
  }

  /** False where there is no such client, or it is disabled already. */
  async disableClient(tx: EntityManager, id: string, now: Date): Promise<boolean> {
    const [, count] = await tx.query<[unknown, number]>(DISABLE_CLIENT, [id, now]);
    return count === 1;
  }

  /** Holds other changes of a client back until `tx` is over. */
  async lockClient(tx: EntityManager, id: string): Promise<void> {
    await tx.query(LOCK_CLIENT, [id]);
  }

  /** Moves a client's cut-off past every token that it was given. Null without such a client. */
  async cutOffClient(tx: EntityManager, id: string, now: Date): Promise<Date | null> {
    const [rows] = await tx.query<[{ tokens_valid_from: Date }[], number]>(CUT_OFF_CLIENT, [id, now]);
    return rows[0]?.tokens_valid_from ?? null;
  }

  /** Lets nobody else revoke this token until `tx` is over. Whether it was revoked already. */
  async holdToken(tx: EntityManager, jti: string): Promise<boolean> {
    await tx.query('select pg_advisory_xact_lock($1, hashtext($2))', [TOKEN_LOCKS, jti]);
    const rows = await tx.query<unknown[]>(`select from revocations where subject = $1 and kind = 'token' limit 1`, [
      jti,
    ]);
    return rows.length > 0;
  }

  /** Writes entries of one kind for the feed. */
  async tell(
    tx: EntityManager,
    subjects: string[],
    entry: Omit<Revocation, 'id' | 'position' | 'subject'>,
    ids: string[],
  ) {
    const { kind, issuedBefore, reason, revokedAt, expiresAt } = entry;
    await tx.query(TELL, [ids, kind, subjects, issuedBefore, reason, revokedAt, expiresAt]);
  }

  /** At most `limit` live entries from `position` on, and after the entry `after` there. */
  async look(position: number, after: { position: number; id: string } | null, now: Date, limit: number) {
    const values = [position, after?.position ?? -1, after?.id ?? FIRST_ID, now, limit];
    const [{ horizon, entries }] = await this.database.run<{ horizon: string; entries: PlacedEntry[] }>(LOOK, values);
    return { horizon: Number(horizon), entries } satisfies FeedSight;
  }

  /** Removes up to `limit` entries that are over. Returns how many. */
  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const [, count] = await tx.query<[unknown, number]>(SWEEP, [now, limit]);
    return count;
  }
}

async function ended(tx: EntityManager, statement: string, values: unknown[]): Promise<EndedSession[]> {
  const [rows] = await tx.query<[EndedSession[], number]>(statement, values);
  return rows;
}

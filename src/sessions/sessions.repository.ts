import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { INSERT_AUDIT_EVENT_COLUMNS } from '../audit/audit.repository.js';
import type { Chore } from '../common/janitor.js';
import type { SecondFactorMethod } from '../common/second-factors.js';
import { Database, type Statement } from '../database/database.js';
import type { Attributes } from '../users/attributes.js';
import { permissionsOf } from '../users/users.repository.js';
import { Session } from './session.entity.js';

/** A session with its user: all that a new access token needs. Instants are epoch seconds. */
export interface LiveSession {
  id: string;
  user_id: string;
  counter: number;
  device_id: string | null;
  amr: string[];
  auth_time: number;
  /** The `iat` of an access token that is made now: not before the user's cut-off. */
  issued_at: number;
  refresh_expires_at: number;
  username: string;
  roles: string[];
  permissions: string[];
  must_change_password: boolean;
  attributes: Attributes;
}

/** How the user of a live session stands now, whatever their token says. */
export type SessionStanding = {
  must_change_password: boolean;
  permissions: string[];
  roles: string[];
  /** How the session was proven (RFC 8176). */
  amr: string[];
  second_factors: SecondFactorMethod[];
};

/** A session under its row lock, with what a verdict needs besides. */
export interface LockedSession extends LiveSession {
  salt_hash: Buffer;
  parent_counter: number | null;
  parent_spent_at: Date | null;
  rotated_at: Date | null;
  idle_expires_at: Date;
  expires_at: Date;
  ended_at: Date | null;
  device_key: string | null;
  ip: string;
  user_agent: string | null;
  is_active: boolean;
}

export interface Rotation {
  sessionId: string;
  /** As the client names its device; a session that was begun with another name is not its. */
  deviceId: string | null;
  counter: number;
  saltHash: Buffer;
  now: Date;
  idleExpiresAt: Date;
  ip: string;
  userAgent: string | null;
  requestId: string;
  /** The id of the audit row, should one be due. */
  auditId: string;
}

export interface NewSession {
  id: string;
  userId: string;
  saltHash: Buffer;
  amr: string[];
  deviceId: string | null;
  deviceKey: string | null;
  ip: string;
  userAgent: string | null;
  now: Date;
  idleExpiresAt: Date;
  expiresAt: Date;
  /** The id of the device's row, should it be a new one. */
  deviceRowId: string;
  auditId: string;
  event: string;
  requestId: string;
  forgive: readonly Buffer[];
  /** When the password that was proven was set; null where it was set in this very transaction. */
  passwordChangedAt: string | null;
  /** Those that the user had when it was decided that none is asked for; null where one was proven. */
  secondFactors: readonly string[] | null;
}

const epoch = (instant: string): string => `floor(extract(epoch from ${instant}))::float8`;

/**
 * A sign-in in one round trip, unless the password or the second factors were changed or the account disabled since it
 * was read; the lock decides between the two: the session, its browser as a known one, cleared counters, the audit row. The sign-ins of
 * one user come one after the other, so each counts the sessions of those before.
 */
const INSERT: Statement = {
  name: 'session-insert',
  text: `
  with proven as (
    select u.id, u.tokens_valid_from from users u
     where u.id = $2 and u.is_active and ($17::timestamptz is null or u.password_changed_at = $17)
       and ($18::text[] is null or u.second_factors = $18)
       for no key update
  ), session as (
    insert into sessions (id, user_id, salt_hash, amr, device_id, device_key, ip, user_agent, tokens_valid_from,
                          auth_time, created_at, last_seen_at, idle_expires_at, expires_at)
    select $1::uuid, id, $3::bytea, $4::text[], $5, $6::uuid, $7::inet, $8, tokens_valid_from,
           $9::timestamptz, $9, $9, $10::timestamptz, $11::timestamptz
      from proven
  ), device as (
    insert into user_devices (id, user_id, device_key, user_agent, ip, created_at, last_seen_at)
    select $12::uuid, id, $6::uuid, $8, $7::inet, $9, $9 from proven where $6::uuid is not null
    on conflict (user_id, device_key) do update
       set user_agent = excluded.user_agent, ip = excluded.ip, last_seen_at = excluded.last_seen_at
  ), forgiven as (
    -- In the order in which an attempt is counted: the place, then the streak. So the two never wait for each other.
    delete from login_counters where key in (
      select key from login_counters
       where key = any($16::bytea[]) and exists (select from proven)
       order by array_position($16::bytea[], key) for update)
  ), audited as (
    insert into audit_events (${INSERT_AUDIT_EVENT_COLUMNS})
    select $13::uuid, $9, $14, 'success', id, id, $1::uuid, $7::inet, $8, $15, jsonb_build_object('amr', $4::text[]) from proven
  )
  select ${epoch('greatest($9, tokens_valid_from)')} as issued_at, count_live_sessions(id, $9)::int as live_sessions from proven`,
};

const LIVE = `s.id, s.user_id, s.counter, s.device_id, s.amr, ${epoch('s.auth_time')} as auth_time,
  ${epoch('least(s.idle_expires_at, s.expires_at)')} as refresh_expires_at, u.username, u.roles,
  u.must_change_password, u.attributes`;

/** `type`, since an interface is no row of pg's. */
export type InsertedSession = {
  /** The `iat` of its first access token. */
  issued_at: number;
  /** How many live sessions the user had before. */
  live_sessions: number;
};

/**
 * The hot path: one round trip. Spends the live token, notes address, agent and time, writes the
 * audit row where either is new, and returns what the access token needs. Matches nothing unless
 * all is well; why not, is found out under the row lock.
 */
const ROTATE: Statement = {
  name: 'session-rotate',
  text: `
  with rotated as (
    update sessions s
       set counter = s.counter + 1, parent_counter = s.counter, parent_spent_at = $4, rotated_at = $4,
           last_seen_at = $4, idle_expires_at = $5, ip = $6, user_agent = $7
      from sessions before, users u
     where s.id = $1 and before.id = $1 and s.counter = $2 and s.salt_hash = $3
       and s.ended_at is null and s.idle_expires_at > $4 and s.expires_at > $4
       and ($10::text is null or s.device_id is null or s.device_id = $10)
       and u.id = s.user_id and u.is_active
       -- A cut-off that came while this waited for the row: what was read of the user is out of date.
       and s.tokens_valid_from is not distinct from u.tokens_valid_from
    returning ${LIVE}, ${epoch('greatest($4, s.tokens_valid_from)')} as issued_at, before.ip as ip_before, before.user_agent as agent_before
  ), audited as (
    insert into audit_events (${INSERT_AUDIT_EVENT_COLUMNS})
    select $8, $4, 'session.moved', 'success', user_id, user_id, id, $6, $7, $9,
           jsonb_build_object('ip_before', host(ip_before), 'user_agent_before', agent_before)
      from rotated where ip_before is distinct from $6 or agent_before is distinct from $7
  )
  select id, user_id, counter, device_id, amr, auth_time, issued_at, refresh_expires_at, username, roles, must_change_password, attributes,
         ${permissionsOf('rotated.roles')} as permissions
    from rotated`,
};

const FIND_STANDING: Statement = {
  name: 'session-standing',
  text: `
  select u.must_change_password, u.roles, s.amr, u.second_factors, ${permissionsOf('u.roles')} as permissions
    from sessions s join users u on u.id = s.user_id
   where s.id = $1 and s.user_id = $2 and s.ended_at is null and s.expires_at > $3 and u.is_active
     and (u.tokens_valid_from is null or u.tokens_valid_from <= to_timestamp($4))`,
};

/** A new proof of identity: `auth_time` is now, and `amr` has it too, each value once and in order. */
const RENEW = `
  with renewed as (
    update sessions s
       set auth_time = $3,
           amr = array(select value from unnest(s.amr || $4::text[]) with ordinality as given(value, place)
                        group by value order by min(place))
      from users u
     where s.id = $1 and s.user_id = $2 and s.ended_at is null and s.expires_at > $3 and u.id = s.user_id and u.is_active
    returning ${LIVE}, ${epoch('greatest($3, s.tokens_valid_from)')} as issued_at
  )
  select *, ${permissionsOf('renewed.roles')} as permissions from renewed`;

const LOCK = 'select from sessions where id = $1 for update';

/** After the lock, and with its user as they are by then. */
const READ_LOCKED = `
  select ${LIVE}, ${epoch('greatest(s.rotated_at, s.tokens_valid_from)')} as issued_at,
         ${permissionsOf('u.roles')} as permissions, s.salt_hash, s.parent_counter, s.parent_spent_at,
         s.rotated_at, s.idle_expires_at, s.expires_at, s.ended_at, s.device_key, host(s.ip) as ip, s.user_agent, u.is_active
    from sessions s join users u on u.id = s.user_id
   where s.id = $1`;

const SKIP_LOST_SUCCESSOR = `
  update sessions
     set counter = counter + 1, rotated_at = $2, last_seen_at = $2, idle_expires_at = $3, ip = $4, user_agent = $5
   where id = $1
  returning counter, ${epoch('greatest(rotated_at, tokens_valid_from)')} as issued_at`;

/** For so long an ended session is kept, so that a late replay of its tokens is still known for one. */
const KEPT_DAYS = 30;

const SWEEP = `
  delete from sessions where id in (
    select id from sessions where ended_at <= $1 or expires_at <= $1 limit $2 for update skip locked
  )`;

/** The table `sessions`. */
@Injectable()
export class SessionsRepository implements Chore {
  readonly name = 'sessions';

  constructor(private readonly database: Database) {}

  /** Writes a new session with all that goes with it, within `tx` or by itself; null where its proof is out of date. */
  async insert(tx: EntityManager | null, session: NewSession): Promise<InsertedSession | null> {
    const { id, userId, saltHash, amr, deviceId, deviceKey, ip, userAgent, now, idleExpiresAt, expiresAt } = session;
    const row = [id, userId, saltHash, amr, deviceId, deviceKey, ip, userAgent, now, idleExpiresAt, expiresAt];
    const values = [
      ...row,
      session.deviceRowId,
      session.auditId,
      session.event,
      session.requestId,
      session.forgive,
      session.passwordChangedAt,
      session.secondFactors,
    ];
    const rows = tx
      ? await tx.query<InsertedSession[]>(INSERT.text, values)
      : await this.database.run<InsertedSession>(INSERT, values);
    return rows[0] ?? null;
  }

  /** Spends the live token in one statement; null where it is not the live token of a live session. */
  async rotate(rotation: Rotation): Promise<LiveSession | null> {
    const { sessionId, counter, saltHash, now, idleExpiresAt, ip, userAgent, auditId, requestId, deviceId } = rotation;
    const values = [sessionId, counter, saltHash, now, idleExpiresAt, ip, userAgent, auditId, requestId, deviceId];
    return (await this.database.run<LiveSession>(ROTATE, values))[0] ?? null;
  }

  /**
   * How the session stands that a token of `issuedAt` (epoch seconds) speaks for; null where it has ended, its user is
   * not active, or the token is from before the user's cut-off.
   */
  async findStanding(sessionId: string, userId: string, issuedAt: number, now: Date): Promise<SessionStanding | null> {
    const values = [sessionId, userId, now, issuedAt];
    return (await this.database.run<SessionStanding>(FIND_STANDING, values))[0] ?? null;
  }

  /** Notes a new proof of who the session's user is, by `amr`; null where the session has ended. */
  async renew(tx: EntityManager, id: string, userId: string, amr: string[], now: Date): Promise<LiveSession | null> {
    return (await tx.query<LiveSession[]>(RENEW, [id, userId, now, amr]))[0] ?? null;
  }

  /** A user's live sessions, newest first, from before the session `before` on. */
  listLive(userId: string, limit: number, before: string | null, now: Date): Promise<Session[]> {
    const query = this.database.manager
      .createQueryBuilder(Session, 'session')
      .where('session.userId = :userId and session.endedAt is null', { userId })
      .andWhere('session.expiresAt > :now and session.idleExpiresAt > :now', { now })
      .orderBy('session.id', 'DESC')
      .limit(limit);
    if (before) query.andWhere('session.id < :before', { before });
    return query.getMany();
  }

  /** Whose session it is that a refresh token with this salt is of; null where there is none. */
  async findOwner(tx: EntityManager, id: string, saltHash: Buffer): Promise<string | null> {
    const session = await tx.findOne(Session, { select: { userId: true }, where: { id, saltHash } });
    return session?.userId ?? null;
  }

  belongsTo(tx: EntityManager, id: string, userId: string): Promise<boolean> {
    return tx.existsBy(Session, { id, userId });
  }

  /** Locks the row until `tx` ends, so that a refresh and an end of it come one after the other. */
  async lock(tx: EntityManager, sessionId: string): Promise<LockedSession | null> {
    await tx.query(LOCK, [sessionId]);
    return (await tx.query<LockedSession[]>(READ_LOCKED, [sessionId]))[0] ?? null;
  }

  /** Kills the live token, which nobody received, and makes the next one live. */
  async skipLostSuccessor(tx: EntityManager, rotation: Rotation): Promise<{ counter: number; issued_at: number }> {
    const { sessionId, now, idleExpiresAt, ip, userAgent } = rotation;
    const [rows] = await tx.query<[{ counter: number; issued_at: number }[], number]>(SKIP_LOST_SUCCESSOR, [
      sessionId,
      now,
      idleExpiresAt,
      ip,
      userAgent,
    ]);
    return rows[0];
  }

  /** Removes up to `limit` sessions that ended long ago, by whatever end. Returns how many. */
  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const longAgo = new Date(now.getTime() - KEPT_DAYS * 86_400_000);
    const [, count] = await tx.query<[unknown, number]>(SWEEP, [longAgo, limit]);
    return count;
  }
}

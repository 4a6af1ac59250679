import { createHash, type KeyObject } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';
import { jwtVerify, SignJWT } from 'jose';
import type { EntityManager } from 'typeorm';

import { Clock } from '../common/clock.js';
import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { newId } from '../common/ids.js';
import type { Chore } from '../common/janitor.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database, type Statement } from '../database/database.js';

/** Its own type, audience and key: nothing that takes another token takes this one (RFC 8725, section 3.11). */
const HALF_WAY_TYPE = 'mfa+jwt';
const HALF_WAY_AUDIENCE = 'urn:latchkey:second-step';
const ALGORITHM = 'HS256';
const LIFE_SECONDS = 300;
/** Wrong codes; or, where a factor is set up first, set-ups and codes together: nothing is to be guessed there. */
const MAX_ATTEMPTS: Record<HalfWayPurpose, number> = { verify: 5, enroll: 10 };

/** What is to come: a proof by a second factor, or setting one up first, where the policy asks for one. */
export type HalfWayPurpose = 'verify' | 'enroll';

/** A sign-in whose password was right. */
export interface HalfWay {
  id: string;
  user_id: string;
  /** The browser, if the user is known by it. */
  device_key: string | null;
  device_id: string | null;
  amr: string[];
  /** Of the password that was proven; as PostgreSQL writes it, to the microsecond. */
  password_changed_at: string;
}

type NewHalfWay = Omit<HalfWay, 'id'> & { readonly purpose: HalfWayPurpose };

/** What the client carries to the second step. */
export interface HalfWayToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

const COLUMNS = 'id, user_id, device_key, device_id, amr, password_changed_at::text as password_changed_at';
const LIVE = `id = $1 and purpose = $2 and binding = $3 and spent_at is null and expires_at > $4 and attempts < $5`;

const FIND: Statement = { name: 'half-way-find', text: `select ${COLUMNS} from half_way_sign_ins where ${LIVE}` };
const COUNT: Statement = {
  name: 'half-way-count',
  text: `update half_way_sign_ins set attempts = attempts + 1 where ${LIVE} returning ${COLUMNS}`,
};
const INSERT = `
  insert into half_way_sign_ins (id, user_id, purpose, binding, device_key, device_id, amr, password_changed_at, created_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;
const SPEND = 'update half_way_sign_ins set spent_at = $2 where id = $1 and spent_at is null returning 1';
const SWEEP = `
  delete from half_way_sign_ins where id in (
    select id from half_way_sign_ins where expires_at <= $1 limit $2 for update skip locked
  )`;

/** Sign-ins between their two steps: five minutes, five wrong codes, one success, one browser. */
@Injectable()
export class HalfWaySignIns implements Chore {
  readonly name = 'half-way sign-ins';
  private readonly key: KeyObject;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    keys: DerivedKeys,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.key = keys.of('half-way-token');
  }

  /** @param browser What tells the browser apart that began: the second step must come from it. */
  async begin(tx: EntityManager, halfWay: NewHalfWay, browser: string): Promise<HalfWayToken> {
    const now = this.clock.now();
    const id = newId(now);
    const expiresAt = new Date(now.getTime() + LIFE_SECONDS * 1000);
    const { user_id, purpose, device_key, device_id, amr, password_changed_at } = halfWay;
    const values = [id, user_id, purpose, bindingOf(browser), device_key, device_id, amr, password_changed_at];
    await tx.query(INSERT, [...values, now, expiresAt]);
    const token = await new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM, typ: HALF_WAY_TYPE })
      .setIssuer(this.config.tokens.issuer)
      .setAudience(HALF_WAY_AUDIENCE)
      .setSubject(user_id)
      .setJti(id)
      .setIssuedAt(now)
      .setExpirationTime(expiresAt)
      .sign(this.key);
    return { token, expiresInSeconds: LIFE_SECONDS };
  }

  /** The sign-in that a token names, while it may go on; null otherwise. */
  find(token: string, purpose: HalfWayPurpose, browser: string): Promise<HalfWay | null> {
    return this.look(FIND, token, purpose, browser);
  }

  /** As {@link find}, and counts an attempt, before anything is verified. */
  attempt(token: string, purpose: HalfWayPurpose, browser: string): Promise<HalfWay | null> {
    return this.look(COUNT, token, purpose, browser);
  }

  /** It has succeeded, within `tx`; false where another request was first. */
  async spend(tx: EntityManager, id: string): Promise<boolean> {
    const [rows] = await tx.query<[unknown[], number]>(SPEND, [id, this.clock.now()]);
    return rows.length === 1;
  }

  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const [, count] = await tx.query<[unknown, number]>(SWEEP, [now, limit]);
    return count;
  }

  private async look(
    statement: Statement,
    token: string,
    purpose: HalfWayPurpose,
    browser: string,
  ): Promise<HalfWay | null> {
    const id = await this.idOf(token);
    if (id === null) return null;
    const values = [id, purpose, bindingOf(browser), this.clock.now(), MAX_ATTEMPTS[purpose]];
    return (await this.database.run<HalfWay & Record<string, unknown>>(statement, values))[0] ?? null;
  }

  private async idOf(token: string): Promise<string | null> {
    try {
      const { payload } = await jwtVerify(token, this.key, {
        algorithms: [ALGORITHM],
        typ: HALF_WAY_TYPE,
        issuer: this.config.tokens.issuer,
        audience: HALF_WAY_AUDIENCE,
        requiredClaims: ['jti', 'sub', 'exp'],
        currentDate: this.clock.now(),
      });
      return payload.jti!;
    } catch {
      return null;
    }
  }
}

const bindingOf = (browser: string): Buffer => createHash('sha256').update(browser).digest();

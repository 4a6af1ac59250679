import { createHash, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Clock } from '../common/clock.js';
import type { Chore } from '../common/janitor.js';
import { Database } from '../database/database.js';
import { OneTimeLink } from './one-time-link.entity.js';

/** What a link is for: to choose the first password, or another one. */
export type LinkPurpose = 'invite' | 'reset';

const TOKEN_BYTES = 32;
const LIFE_SECONDS: Record<LinkPurpose, number> = { invite: 7 * 86_400, reset: 3600 };

const SWEEP = `
  delete from one_time_links where token_hash in (
    select token_hash from one_time_links where expires_at <= $1 limit $2 for update skip locked
  )`;

/** Links that let somebody choose a password: random, kept as a hash, good once and for a while. */
@Injectable()
export class OneTimeLinks implements Chore {
  readonly name = 'one-time links';

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Makes a link; the user's links of before work no more. Its token is returned this once. */
  async issue(tx: EntityManager, userId: string, purpose: LinkPurpose): Promise<{ token: string; expiresAt: Date }> {
    const now = this.clock.now();
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const expiresAt = new Date(now.getTime() + LIFE_SECONDS[purpose] * 1000);
    await this.cancel(tx, userId);
    await tx.insert(OneTimeLink, {
      tokenHash: hashOf(token),
      userId,
      purpose,
      createdAt: now,
      expiresAt,
      usedAt: null,
    });
    return { token, expiresAt };
  }

  /** Whose link it is, while it is good; null otherwise. */
  async ownerOf(token: string): Promise<string | null> {
    const rows = await this.database.manager.query<{ user_id: string }[]>(
      'select user_id from one_time_links where token_hash = $1 and used_at is null and expires_at > $2',
      [hashOf(token), this.clock.now()],
    );
    return rows[0]?.user_id ?? null;
  }

  /** Uses it up, within `tx`; false where another request did, or it is over. */
  async spend(tx: EntityManager, token: string): Promise<boolean> {
    const [rows] = await tx.query<[unknown[], number]>(
      'update one_time_links set used_at = $2 where token_hash = $1 and used_at is null and expires_at > $2 returning 1',
      [hashOf(token), this.clock.now()],
    );
    return rows.length === 1;
  }

  /** None of the user's links works any more. */
  async cancel(tx: EntityManager, userId: string): Promise<void> {
    await tx.query('update one_time_links set used_at = $2 where user_id = $1 and used_at is null', [
      userId,
      this.clock.now(),
    ]);
  }

  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const [, count] = await tx.query<[unknown, number]>(SWEEP, [now, limit]);
    return count;
  }
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

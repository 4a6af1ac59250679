import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, LessThan, MoreThan, Not } from 'typeorm';

import type { Chore } from '../common/janitor.js';
import { Database } from '../database/database.js';
import type { SealedSeed } from './seed-cipher.js';
import { TotpAuthenticator } from './totp-authenticator.entity.js';

/** A seed that was shown and not confirmed for so long is forgotten. */
export const SET_UP_SECONDS = 3600;

const SWEEP = `
  delete from totp_authenticators where id in (
    select id from totp_authenticators
     where confirmed_at is null and created_at <= $1::timestamptz - make_interval(secs => ${SET_UP_SECONDS})
     limit $2 for update skip locked
  )`;

/** The table `totp_authenticators`. */
@Injectable()
export class TotpRepository implements Chore {
  readonly name = 'authenticator apps that were never confirmed';

  constructor(private readonly database: Database) {}

  /** Sets one up that is not in use yet, in the place of another such one: a user has one at most. */
  async setUp(
    tx: EntityManager,
    id: string,
    userId: string,
    name: string,
    { keyId, seed }: SealedSeed,
    now: Date,
  ): Promise<void> {
    await tx.query(
      `insert into totp_authenticators (id, user_id, name, key_id, seed, created_at) values ($1, $2, $3, $4, $5, $6)
       on conflict (user_id) where confirmed_at is null
       do update set id = $1, name = $3, key_id = $4, seed = $5, created_at = $6`,
      [id, userId, name, keyId, seed, now],
    );
  }

  findUnconfirmed(tx: EntityManager, userId: string, setUpAfter: Date): Promise<TotpAuthenticator | null> {
    return tx.findOneBy(TotpAuthenticator, { userId, confirmedAt: IsNull(), createdAt: MoreThan(setUpAfter) });
  }

  /** Puts it in use, the code of `step` spent; false where another request did, or set up another one. */
  async confirm(tx: EntityManager, id: string, step: number, now: Date): Promise<boolean> {
    const { affected } = await tx.update(
      TotpAuthenticator,
      { id, confirmedAt: IsNull() },
      { confirmedAt: now, lastUsedAt: now, lastStep: String(step) },
    );
    return affected === 1;
  }

  /** Those in use, oldest first. */
  listConfirmed(userId: string, tx: EntityManager = this.database.manager): Promise<TotpAuthenticator[]> {
    return tx.find(TotpAuthenticator, { where: { userId, confirmedAt: Not(IsNull()) }, order: { id: 'ASC' } });
  }

  /** Spends the code of `step`: compare and set, so that of many at once one succeeds. False where it was spent. */
  async spend(tx: EntityManager, id: string, step: number, sealed: SealedSeed, now: Date): Promise<boolean> {
    const { affected } = await tx.update(
      TotpAuthenticator,
      { id, lastStep: LessThan(String(step)) },
      { lastStep: String(step), lastUsedAt: now, ...sealed },
    );
    return affected === 1;
  }

  /** Removes one in use, or all. Returns how many. */
  async remove(tx: EntityManager, userId: string, id?: string): Promise<number> {
    const one = id !== undefined && { id };
    return (await tx.delete(TotpAuthenticator, { userId, confirmedAt: Not(IsNull()), ...one })).affected ?? 0;
  }

  /** Removes what was set up and is not in use. */
  async removeUnconfirmed(tx: EntityManager, userId: string): Promise<void> {
    await tx.delete(TotpAuthenticator, { userId, confirmedAt: IsNull() });
  }

  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const [, count] = await tx.query<[unknown, number]>(SWEEP, [now, limit]);
    return count;
  }
}

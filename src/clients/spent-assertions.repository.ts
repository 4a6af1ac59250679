import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Chore } from '../common/janitor.js';
import { Database, type Statement } from '../database/database.js';

/** The primary key decides: of many at once one inserts. */
const SPEND: Statement = {
  name: 'spent-assertion-insert',
  text: `
  insert into spent_assertions (client_id, jti_hash, expires_at) values ($1, $2, to_timestamp($3))
  on conflict do nothing returning 1 as spent`,
};

const SWEEP = `
  delete from spent_assertions where (client_id, jti_hash) in (
    select client_id, jti_hash from spent_assertions where expires_at <= $1
     order by expires_at limit $2 for update skip locked
  )`;

/** The table `spent_assertions`. */
@Injectable()
export class SpentAssertions implements Chore {
  readonly name = 'spent assertions';

  constructor(private readonly database: Database) {}

  /** Spends a client's `jti`; false where it was spent before. `expiresAt`: NumericDate, past any that the assertion is good at. */
  async spend(clientId: string, jti: string, expiresAt: number): Promise<boolean> {
    const jtiHash = createHash('sha256').update(jti).digest();
    return (await this.database.run<{ spent: number }>(SPEND, [clientId, jtiHash, expiresAt])).length === 1;
  }

  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const [, count] = await tx.query<[unknown, number]>(SWEEP, [now, limit]);
    return count;
  }
}

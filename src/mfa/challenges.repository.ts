import { createHash, randomBytes } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Clock } from '../common/clock.js';
import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { SignedValue } from '../common/crypto/signed-value.js';
import type { Chore } from '../common/janitor.js';

const NONCE_BYTES = 18;
const EXPIRY_BYTES = 4;
/** WebAuthn Level 3, section 15.1, recommends up to ten minutes. */
export const CHALLENGE_SECONDS = 300;

const SWEEP = `
  delete from spent_challenges where challenge_hash in (
    select challenge_hash from spent_challenges where expires_at <= $1 limit $2 for update skip locked
  )`;

/**
 * Challenges for passkeys: random, signed with what they are for, good for five minutes and once. They are stored
 * only when they were answered, so that asking for many costs nothing.
 */
@Injectable()
export class Challenges implements Chore {
  readonly name = 'spent challenges';
  private readonly signed: SignedValue;

  constructor(
    private readonly clock: Clock,
    keys: DerivedKeys,
  ) {
    this.signed = new SignedValue(keys.allOf('passkey-challenge'), NONCE_BYTES + EXPIRY_BYTES);
  }

  /** @param use What it is for, and for whom: it is good for nothing else. */
  issue(use: string): string {
    const payload = Buffer.concat([randomBytes(NONCE_BYTES), Buffer.alloc(EXPIRY_BYTES)]);
    payload.writeUInt32BE(this.nowSeconds() + CHALLENGE_SECONDS, NONCE_BYTES);
    return this.signed.sign(payload, use);
  }

  /** Spends it within `tx`; false where it is not ours, for another use, too old, or was spent. Of many at once one succeeds. */
  async spend(tx: EntityManager, challenge: string, use: string): Promise<boolean> {
    const payload = this.signed.open(challenge, use);
    const expiresAt = payload?.readUInt32BE(NONCE_BYTES) ?? 0;
    if (expiresAt <= this.nowSeconds()) return false;
    const inserted = await tx.query<unknown[]>(
      'insert into spent_challenges values ($1, to_timestamp($2)) on conflict do nothing returning 1',
      [createHash('sha256').update(challenge).digest(), expiresAt],
    );
    return inserted.length === 1;
  }

  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const [, count] = await tx.query<[unknown, number]>(SWEEP, [now, limit]);
    return count;
  }

  private nowSeconds(): number {
    return Math.floor(this.clock.now().getTime() / 1000);
  }
}

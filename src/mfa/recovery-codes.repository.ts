import { createHmac, type KeyObject, randomInt } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { Database } from '../database/database.js';

export const RECOVERY_CODES = 10;
/** Crockford's base32: no I, L, O, U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 120 bits: from 112 on a look-up secret needs no slow hash (ASVS 6.5.2). */
const CODE_LENGTH = 24;
const GROUP_LENGTH = 6;

/** Codes for whoever lost their other factors: ten, each works once (NIST SP 800-63B, section 3.1.2). */
@Injectable()
export class RecoveryCodes {
  private readonly keys: readonly KeyObject[];

  constructor(
    private readonly database: Database,
    keys: DerivedKeys,
  ) {
    this.keys = keys.allOf('recovery-code');
  }

  /** Puts a new set in the place of the old one; this is the only time that anybody sees them. */
  async replace(tx: EntityManager, userId: string, now: Date): Promise<string[]> {
    const codes = Array.from({ length: RECOVERY_CODES }, newCode);
    await this.removeAll(tx, userId);
    await tx.query('insert into recovery_codes (user_id, code_hash, created_at) select $1, unnest($2::bytea[]), $3', [
      userId,
      codes.map((code) => hash(this.keys[0], userId, canonical(code)!)),
      now,
    ]);
    return codes;
  }

  /** Whether the user has a set, used up or not. */
  async exist(tx: EntityManager, userId: string): Promise<boolean> {
    return (await tx.query<unknown[]>('select 1 from recovery_codes where user_id = $1 limit 1', [userId])).length > 0;
  }

  async countLeft(userId: string, tx: EntityManager = this.database.manager): Promise<number> {
    const [{ count }] = await tx.query<[{ count: number }]>(
      'select count(*)::int as count from recovery_codes where user_id = $1 and used_at is null',
      [userId],
    );
    return count;
  }

  /** Spends a code; false where it is none of the user's, or was used. Of many at once one succeeds. */
  async spend(tx: EntityManager, userId: string, code: string, now: Date): Promise<boolean> {
    const text = canonical(code);
    if (text === null) return false;
    const [rows] = await tx.query<[unknown[], number]>(
      `update recovery_codes set used_at = $3
        where user_id = $1 and code_hash = any($2::bytea[]) and used_at is null returning 1`,
      [userId, this.keys.map((key) => hash(key, userId, text)), now],
    );
    return rows.length === 1;
  }

  async removeAll(tx: EntityManager, userId: string): Promise<void> {
    await tx.query('delete from recovery_codes where user_id = $1', [userId]);
  }
}

function newCode(): string {
  const symbols = Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return symbols.match(new RegExp(`.{${GROUP_LENGTH}}`, 'g'))!.join('-');
}

/** As people copy it: case, hyphens and the look-alikes of 0 and 1 make no difference. Null where it is no code. */
function canonical(code: string): string | null {
  const text = code.toUpperCase().replaceAll('-', '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return text.length === CODE_LENGTH && [...text].every((symbol) => ALPHABET.includes(symbol)) ? text : null;
}

const hash = (key: KeyObject, userId: string, code: string): Buffer =>
  createHmac('sha256', key).update(`${userId}|${code}`).digest();

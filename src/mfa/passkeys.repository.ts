import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Database, uniqueViolation } from '../database/database.js';
import { Passkey } from './passkey.entity.js';

/** The table `passkeys`. */
@Injectable()
export class PasskeysRepository {
  constructor(private readonly database: Database) {}

  /** A user's passkeys, oldest first. */
  list(userId: string, tx: EntityManager = this.database.manager): Promise<Passkey[]> {
    return tx.find(Passkey, { where: { userId }, order: { id: 'ASC' } });
  }

  findByCredentialId(tx: EntityManager, credentialId: Buffer): Promise<Passkey | null> {
    return tx.findOneBy(Passkey, { credentialId });
  }

  /** False where somebody has this credential already. */
  async insert(tx: EntityManager, passkey: Omit<Passkey, 'user'>): Promise<boolean> {
    try {
      await tx.insert(Passkey, passkey);
      return true;
    } catch (error) {
      if (uniqueViolation(error) === 'passkeys_credential_id_key') return false;
      throw error;
    }
  }

  /** Notes a use. False where the count did not go on since: two hold the key (WebAuthn Level 3, section 6.1.1). */
  async use(tx: EntityManager, id: string, signCount: number, backedUp: boolean, now: Date): Promise<boolean> {
    const [rows] = await tx.query<[unknown[], number]>(
      `update passkeys set sign_count = $2, backed_up = $3, last_used_at = $4
        where id = $1 and (sign_count < $2 or (sign_count = 0 and $2 = 0)) returning 1`,
      [id, signCount, backedUp, now],
    );
    return rows.length === 1;
  }

  async rename(tx: EntityManager, userId: string, id: string, name: string): Promise<boolean> {
    return (await tx.update(Passkey, { id, userId }, { name })).affected === 1;
  }

  /** Removes one, or all. Returns how many. */
  async remove(tx: EntityManager, userId: string, id?: string): Promise<number> {
    return (await tx.delete(Passkey, { userId, ...(id !== undefined && { id }) })).affected ?? 0;
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Sealed } from '../common/crypto/sealer.js';
import { Database } from '../database/database.js';
import { StoredKey } from './signing-key.entity.js';

/** Where replicas are told that there is something new. */
export const SIGNING_KEYS_CHANNEL = 'latchkey_signing_keys';

/** Changes come one after the other; whoever reads waits for none. */
const LOCK = 'lock table signing_keys in share row exclusive mode';

const TELL = `select pg_notify('${SIGNING_KEYS_CHANNEL}', '')`;

const DESTROY = `
  update signing_keys set key_id = null, sealed = null where kid in (
    select kid from signing_keys where verifies_until <= $1 and sealed is not null limit $2 for update skip locked
  ) returning kid`;

/** The table `signing_keys`. */
@Injectable()
export class SigningKeysRepository {
  constructor(private readonly database: Database) {}

  /** All there ever were, in the order in which they were made. */
  list(tx: EntityManager = this.database.manager): Promise<StoredKey[]> {
    return tx.find(StoredKey, { order: { createdAt: 'ASC', kid: 'ASC' } });
  }

  /** As {@link list}, and nobody else changes any until `tx` is over. */
  async lock(tx: EntityManager): Promise<StoredKey[]> {
    await tx.query(LOCK);
    return this.list(tx);
  }

  /** Adds a key, or changes one; replicas are told at COMMIT. */
  async save(tx: EntityManager, key: StoredKey): Promise<void> {
    await tx.upsert(StoredKey, key, ['kid']);
    await tx.query(TELL);
  }

  /** Seals a key anew, unless somebody else has just done so or destroyed it. */
  async reseal(tx: EntityManager, kid: string, before: string, { keyId, bytes }: Sealed): Promise<void> {
    await tx.update(StoredKey, { kid, keyId: before }, { keyId, sealed: bytes });
  }

  /** Destroys up to `limit` keys whose last tokens have ended. Returns their ids. */
  async destroy(tx: EntityManager, now: Date, limit: number): Promise<string[]> {
    const [rows] = await tx.query<[{ kid: string }[], number]>(DESTROY, [now, limit]);
    return rows.map(({ kid }) => kid);
  }
}

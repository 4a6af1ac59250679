import { createCipheriv, createDecipheriv, createHash, type KeyObject, randomBytes } from 'node:crypto';

import type { DerivedKeys } from '../common/crypto/derived-keys.js';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface SealedSeed {
  /** Names the key without showing it. */
  readonly keyId: string;
  /** Nonce, ciphertext, tag. */
  readonly seed: Buffer;
}

/**
 * Encrypts the seeds of authenticators: AES-256-GCM under a key that hangs on `MASTER_SECRET`, with the user's
 * id as associated data, so that a seed moved to another user's row opens for nobody.
 */
export class SeedCipher {
  private readonly keys: Map<string, KeyObject>;
  /** Of the key that seals. */
  readonly keyId: string;

  constructor(keys: DerivedKeys) {
    this.keys = new Map(keys.allOf('totp-seed').map((key) => [idOf(key), key]));
    [this.keyId] = this.keys.keys();
  }

  seal(seed: Buffer, userId: string): SealedSeed {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.keys.get(this.keyId)!, nonce).setAAD(Buffer.from(userId));
    return {
      keyId: this.keyId,
      seed: Buffer.concat([nonce, cipher.update(seed), cipher.final(), cipher.getAuthTag()]),
    };
  }

  /** Null where the key is gone, or the seed is not this user's. */
  open({ keyId, seed }: SealedSeed, userId: string): Buffer | null {
    const key = this.keys.get(keyId);
    if (!key) return null;
    const decipher = createDecipheriv(CIPHER, key, seed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(userId))
      .setAuthTag(seed.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(seed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      return null;
    }
  }
}

const idOf = (key: KeyObject): string =>
  createHash('sha256').update('latchkey key id').update(key.export()).digest('base64url').slice(0, 8);

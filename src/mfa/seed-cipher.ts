import type { DerivedKeys } from '../common/crypto/derived-keys.js';
import { Sealer } from '../common/crypto/sealer.js';

export interface SealedSeed {
  /** Names the key without showing it. */
  readonly keyId: string;
  /** Nonce, ciphertext, tag. */
  readonly seed: Buffer;
}

/** Encrypts the seeds of authenticators, each for its user: one moved to another user's row opens for nobody. */
export class SeedCipher {
  private readonly sealer: Sealer;

  constructor(keys: DerivedKeys) {
    this.sealer = new Sealer(keys.allOf('totp-seed'));
  }

  /** Of the key that seals. */
  get keyId(): string {
    return this.sealer.keyId;
  }

  seal(seed: Buffer, userId: string): SealedSeed {
    const { keyId, bytes } = this.sealer.seal(seed, userId);
    return { keyId, seed: bytes };
  }

  /** Null where the key is gone, or the seed is not this user's. */
  open({ keyId, seed }: SealedSeed, userId: string): Buffer | null {
    return this.sealer.open({ keyId, bytes: seed }, userId);
  }
}

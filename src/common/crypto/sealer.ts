import { createCipheriv, createDecipheriv, createHash, type KeyObject, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface Sealed {
  /** Names the key without showing it. */
  readonly keyId: string;
  /** Nonce, ciphertext, tag. */
  readonly bytes: Buffer;
}

/**
 * Encrypts what has to be read again: AES-256-GCM under a key that hangs on `MASTER_SECRET`, with what it belongs to
 * as associated data, so that it opens nowhere else. The first key seals, all open: see `DerivedKeys.allOf`.
 */
export class Sealer {
  private readonly keys: Map<string, KeyObject>;
  /** Of the key that seals. */
  readonly keyId: string;

  constructor(keys: readonly KeyObject[]) {
    this.keys = new Map(keys.map((key) => [keyIdOf(key), key]));
    [this.keyId] = this.keys.keys();
  }

  seal(plain: Buffer, owner: string): Sealed {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.keys.get(this.keyId)!, nonce).setAAD(Buffer.from(owner));
    const bytes = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return { keyId: this.keyId, bytes };
  }

  /** Null where the key is gone, or it belongs to something else. */
  open({ keyId, bytes }: Sealed, owner: string): Buffer | null {
    const key = this.keys.get(keyId);
    if (!key) return null;
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(owner))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      return null;
    }
  }
}

/** Names a key without showing it. */
export const keyIdOf = (key: KeyObject): string =>
  createHash('sha256').update('latchkey key id').update(key.export()).digest('base64url').slice(0, 8);

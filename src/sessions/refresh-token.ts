import { createHash, randomBytes } from 'node:crypto';

import { parse as parseUuid, stringify as formatUuid } from 'uuid';

import type { DerivedKeys } from '../common/crypto/derived-keys.js';
import { SignedValue } from '../common/crypto/signed-value.js';

const VERSION = 1;
const SALT_BYTES = 16;
const PAYLOAD_BYTES = 1 + 16 + 4 + SALT_BYTES;

/** What a genuine refresh token says. Whether it still counts, the session's row knows. */
export interface RefreshToken {
  readonly sessionId: string;
  readonly counter: number;
  readonly salt: Buffer;
}

/** The only form of the salt that is stored. */
export const saltHash = (salt: Buffer): Buffer => createHash('sha256').update(salt).digest();

export const newSalt = (): Buffer => randomBytes(SALT_BYTES);

/**
 * `base64url(version ‖ session id ‖ counter ‖ salt ‖ MAC)`, the MAC under a key that hangs on
 * `MASTER_SECRET`. Forgeries fail here, before any database; a stolen table lacks the key and the
 * salts; a stolen key lacks the salts (docs/adr/0001).
 */
export class RefreshTokens {
  private readonly signed: SignedValue;

  constructor(keys: DerivedKeys) {
    this.signed = new SignedValue(keys.allOf('refresh-token'), PAYLOAD_BYTES);
  }

  mint({ sessionId, counter, salt }: RefreshToken): string {
    const payload = Buffer.alloc(PAYLOAD_BYTES);
    payload[0] = VERSION;
    payload.set(parseUuid(sessionId), 1);
    payload.writeUInt32BE(counter, 17);
    payload.set(salt, 21);
    return this.signed.sign(payload);
  }

  /** The token's content, or null where this service never made it. */
  open(text: unknown): RefreshToken | null {
    const payload = this.signed.open(text);
    if (payload?.[0] !== VERSION) return null;
    return {
      sessionId: formatUuid(payload.subarray(1, 17)),
      counter: payload.readUInt32BE(17),
      salt: payload.subarray(21),
    };
  }
}

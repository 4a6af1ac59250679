import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** One label for each purpose; a key of one purpose is worthless for another. */
export type KeyLabel =
  | 'refresh-token'
  | 'csrf-token'
  | 'device-cookie'
  | 'audit-name'
  | 'login-counter'
  | 'half-way-token'
  | 'totp-seed'
  | 'recovery-code'
  | 'passkey-challenge'
  | 'signing-key';

/** The keys that hang on `MASTER_SECRET`: HKDF-SHA-256 (RFC 5869) with one label each. */
export class DerivedKeys {
  constructor(
    private readonly masterSecret: string,
    private readonly previousSecret: string | null = null,
  ) {}

  /** The 256-bit key for `label`: the same each time. */
  of(label: KeyLabel): KeyObject {
    return derive(this.masterSecret, label);
  }

  /** The key for `label`, and the one before while there is one: for what outlives a change of the secret. */
  allOf(label: KeyLabel): KeyObject[] {
    return [this.of(label), ...(this.previousSecret === null ? [] : [derive(this.previousSecret, label)])];
  }
}

const derive = (secret: string, label: KeyLabel): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `latchkey/v1/${label}`, 32)));

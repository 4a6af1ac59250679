import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** One label for each purpose; a key of one purpose is worthless for another. */
export type KeyLabel = 'refresh-token' | 'csrf-token' | 'device-cookie' | 'audit-name' | 'login-counter';

/** The keys that hang on `MASTER_SECRET`: HKDF-SHA-256 (RFC 5869) with one label each. */
export class DerivedKeys {
  constructor(private readonly masterSecret: string) {}

  /** The 256-bit key for `label`: the same each time. */
  of(label: KeyLabel): KeyObject {
    return createSecretKey(Buffer.from(hkdfSync('sha256', this.masterSecret, '', `latchkey/v1/${label}`, 32)));
  }
}

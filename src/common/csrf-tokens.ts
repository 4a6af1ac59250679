import { randomBytes } from 'node:crypto';

import type { DerivedKeys } from './crypto/derived-keys.js';
import { SignedValue } from './crypto/signed-value.js';

const NONCE_BYTES = 16;

/**
 * Signed double-submit tokens (OWASP CSRF Prevention: signed double-submit cookie). Each is bound
 * to a session's id, or to "no session yet", so that a planted cookie of another session fails.
 */
export class CsrfTokens {
  private readonly signed: SignedValue;

  constructor(keys: DerivedKeys) {
    this.signed = new SignedValue(keys.allOf('csrf-token'), NONCE_BYTES);
  }

  issue(sessionId: string | null): string {
    return this.signed.sign(randomBytes(NONCE_BYTES), sessionId ?? '');
  }

  verify(token: unknown, sessionId: string | null): boolean {
    return this.signed.open(token, sessionId ?? '') !== null;
  }
}

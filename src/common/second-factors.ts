import type { Config } from '../config/config.js';

/** The ways to prove more than the password. */
export const secondFactorMethods = ['totp', 'passkey', 'recovery_code'] as const;
export type SecondFactorMethod = (typeof secondFactorMethods)[number];

/** The name of the service, as authenticators show it. */
export const SERVICE_NAME = 'Latchkey';

/** In `amr`: more than one factor was proven (RFC 8176, section 2). */
export const MULTI_FACTOR = 'mfa';

/** Who must prove a second factor: `REQUIRE_MFA`. */
export class SecondFactorPolicy {
  constructor(private readonly required: Config['mfa']['required']) {}

  demandsOf(roles: readonly string[]): boolean {
    return this.required === 'all' || (this.required === 'admin' && roles.includes('admin'));
  }

  /** Whether a session that was proven by `amr` is all that these roles need. */
  isMet(roles: readonly string[], amr: readonly string[]): boolean {
    return !this.demandsOf(roles) || amr.includes(MULTI_FACTOR);
  }
}

import { TokenChecker, TokenInvalid, type UserClaims } from '#verifier';

import type { KeyRing } from './key-ring.js';

export interface VerifierSettings {
  issuer: string;
  audiences: readonly string[];
  /** The longest life that a token may have or claim. */
  maxAgeSeconds: number;
}

/** Verifies people's access tokens by the ring, as every other service does: with `@latchkey/verifier`. Synchronous. */
export class AccessTokenVerifier {
  private readonly checker: TokenChecker;

  constructor(keys: KeyRing, settings: VerifierSettings) {
    this.checker = new TokenChecker({ keys, ...settings });
  }

  /** @throws TokenExpired only where all else is right, else TokenInvalid */
  verify(token: string, now: Date): UserClaims {
    return this.check(token, now).claims;
  }

  /** As {@link verify}, with the id of the key. */
  check(token: string, now: Date): { claims: UserClaims; kid: string } {
    const { claims, key } = this.checker.check(token, Math.floor(now.getTime() / 1000));
    if (claims.sid === undefined) throw new TokenInvalid('claim sid');
    return { claims, kid: key.kid };
  }
}

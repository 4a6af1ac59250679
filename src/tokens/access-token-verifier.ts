import { TokenChecker, TokenInvalid, TokenRevoked, type UserClaims } from '#verifier';

import type { KeyRing } from './key-ring.js';

export interface VerifierSettings {
  issuer: string;
  audiences: readonly string[];
  /** The longest life that a token may have or claim. */
  maxAgeSeconds: number;
}

/** Verifies people's access tokens by the ring, as every other service does: with `@latchkey/verifier`. */
export class AccessTokenVerifier {
  private readonly checker: TokenChecker;

  constructor(
    private readonly keys: KeyRing,
    settings: VerifierSettings,
    /** Looks for keys that are new. */
    private readonly learn: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.checker = new TokenChecker({ keys, ...settings });
  }

  /** Synchronous. @throws TokenExpired only where all else is right, TokenRevoked, else TokenInvalid */
  verify(token: string, now: Date): UserClaims {
    return this.check(token, now).claims;
  }

  /** As {@link verify}, with the id of the key. */
  check(token: string, now: Date): { claims: UserClaims; kid: string } {
    const { claims, key } = this.checker.check(token, Math.floor(now.getTime() / 1000));
    const { kid } = key;
    if (this.keys.isCompromised(kid)) throw new TokenRevoked('key');
    // Whoever shares the key of one audience must not make tokens for another.
    const audience = this.keys.find(kid)?.audience ?? null;
    if (audience !== null && audience !== claims.aud) throw new TokenInvalid('aud');
    if (claims.sid === undefined) throw new TokenInvalid('claim sid');
    return { claims, kid };
  }

  /** As {@link check}, and looks once for a key that this replica has not heard of: it may have begun to sign elsewhere. */
  async checkAndLearn(token: string, now: Date): Promise<{ claims: UserClaims; kid: string }> {
    try {
      return this.check(token, now);
    } catch (error) {
      if (!(error instanceof TokenInvalid) || error.reason !== 'kid') throw error;
    }
    await this.learn();
    return this.check(token, now);
  }
}

import { type AccessTokenClaims, TokenChecker, TokenInvalid, TokenRevoked } from '#verifier';

import type { KeyRing } from './key-ring.js';

export interface VerifierSettings {
  issuer: string;
  /** `any`: the caller looks at the claim `aud` itself. */
  audiences: readonly string[] | 'any';
  /** The longest life that a token may have or claim. */
  maxAgeSeconds: number;
  /** How far the clock of another replica may be ahead. Default 5. */
  clockToleranceSeconds?: number;
}

/** A token that has passed, and the id of its key. */
export interface RingChecked<Claims = AccessTokenClaims> {
  readonly claims: Claims;
  readonly kid: string;
}

/** Checks access tokens by the ring, as every other service does: with `@latchkey/verifier`. Looks at no revocation but that of keys. */
export class RingChecker {
  private readonly checker: TokenChecker;

  constructor(
    private readonly keys: KeyRing,
    settings: VerifierSettings,
    /** Looks for keys that are new. */
    private readonly learn: () => Promise<void>,
  ) {
    this.checker = new TokenChecker({ keys, ...settings });
  }

  /** Synchronous. @throws TokenExpired only where all else is right, TokenRevoked, else TokenInvalid */
  check(token: string, now: Date): RingChecked {
    const { claims, key } = this.checker.check(token, Math.floor(now.getTime() / 1000));
    const { kid } = key;
    if (this.keys.isCompromised(kid)) throw new TokenRevoked('key');
    // Whoever shares the key of one audience must not make tokens for another.
    const audience = this.keys.find(kid)?.audience ?? null;
    if (audience !== null && audience !== claims.aud) throw new TokenInvalid('aud');
    return { claims, kid };
  }

  /** As {@link check}, and looks once for a key that this replica has not heard of: it may have begun to sign elsewhere. */
  async checkAndLearn(token: string, now: Date): Promise<RingChecked> {
    try {
      return this.check(token, now);
    } catch (error) {
      if (!(error instanceof TokenInvalid) || error.reason !== 'kid') throw error;
    }
    await this.learn();
    return this.check(token, now);
  }
}

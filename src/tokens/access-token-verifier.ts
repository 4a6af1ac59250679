import { TokenInvalid, type UserClaims } from '#verifier';

import type { KeyRing } from './key-ring.js';
import { type RingChecked, RingChecker, type VerifierSettings } from './ring-checker.js';

/** Verifies people's access tokens by the ring; those of services it refuses. */
export class AccessTokenVerifier {
  private readonly checker: RingChecker;

  /** @param learn Looks for keys that are new. */
  constructor(keys: KeyRing, settings: VerifierSettings, learn: () => Promise<void> = () => Promise.resolve()) {
    this.checker = new RingChecker(keys, settings, learn);
  }

  /** Synchronous. @throws TokenExpired only where all else is right, TokenRevoked, else TokenInvalid */
  verify(token: string, now: Date): UserClaims {
    return this.check(token, now).claims;
  }

  /** As {@link verify}, with the id of the key. */
  check(token: string, now: Date): RingChecked<UserClaims> {
    return ofUser(this.checker.check(token, now));
  }

  /** As {@link check}, and looks once for a key that this replica has not heard of: it may have begun to sign elsewhere. */
  async checkAndLearn(token: string, now: Date): Promise<RingChecked<UserClaims>> {
    return ofUser(await this.checker.checkAndLearn(token, now));
  }
}

function ofUser({ claims, kid }: RingChecked): RingChecked<UserClaims> {
  if (claims.sid === undefined) throw new TokenInvalid('claim sid');
  return { claims, kid };
}

import { Inject, Injectable } from '@nestjs/common';

import { TokenError } from '#verifier';

import { CONFIG, type Config } from '../config/config.js';
import { KeyRing } from './key-ring.js';
import { KeyRingKeeper } from './key-ring-keeper.js';
import { type RingChecked, RingChecker, type VerifierSettings } from './ring-checker.js';

/** Reads access tokens of this service, whoever they are for: for introspection and revocation, which look at that themselves. */
@Injectable()
export class IssuedTokens {
  private readonly checker: RingChecker;
  private readonly earlyChecker: RingChecker;

  constructor(keys: KeyRing, keeper: KeyRingKeeper, @Inject(CONFIG) { tokens }: Config) {
    const { issuer, accessTokenSeconds: maxAgeSeconds } = tokens;
    const settings: VerifierSettings = { issuer, audiences: 'any', maxAgeSeconds };
    const learn = () => keeper.learn();
    this.checker = new RingChecker(keys, settings, learn);
    this.earlyChecker = new RingChecker(keys, { ...settings, clockToleranceSeconds: Infinity }, learn);
  }

  /** The claims, and the id of the key; null where it is none of ours, or has expired. Of revocations, keys alone are looked at. */
  open(token: string, now: Date): Promise<RingChecked | null> {
    return opened(this.checker, token, now);
  }

  /** As {@link open}, and also what only begins to count: whoever takes a token back must not find it out of reach. */
  openEarly(token: string, now: Date): Promise<RingChecked | null> {
    return opened(this.earlyChecker, token, now);
  }
}

async function opened(checker: RingChecker, token: string, now: Date): Promise<RingChecked | null> {
  try {
    return await checker.checkAndLearn(token, now);
  } catch (error) {
    if (error instanceof TokenError) return null;
    throw error;
  }
}

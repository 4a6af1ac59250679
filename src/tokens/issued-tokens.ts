import { Inject, Injectable } from '@nestjs/common';

import { TokenError } from '#verifier';

import { CONFIG, type Config } from '../config/config.js';
import { KeyRing } from './key-ring.js';
import { KeyRingKeeper } from './key-ring-keeper.js';
import { type RingChecked, RingChecker } from './ring-checker.js';

/** Reads access tokens of this service, whoever they are for: for introspection and revocation, which look at that themselves. */
@Injectable()
export class IssuedTokens {
  private readonly checker: RingChecker;

  constructor(keys: KeyRing, keeper: KeyRingKeeper, @Inject(CONFIG) { tokens }: Config) {
    const { issuer, accessTokenSeconds: maxAgeSeconds } = tokens;
    this.checker = new RingChecker(keys, { issuer, audiences: 'any', maxAgeSeconds }, () => keeper.learn());
  }

  /** The claims, and the id of the key; null where it is none of ours, or has expired. Of revocations, keys alone are looked at. */
  async open(token: string, now: Date): Promise<RingChecked | null> {
    try {
      return await this.checker.checkAndLearn(token, now);
    } catch (error) {
      if (error instanceof TokenError) return null;
      throw error;
    }
  }
}

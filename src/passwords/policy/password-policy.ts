import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

import { Logger } from '../../common/logging.js';
import { codePoints } from '../../common/validation.js';
import { CONFIG, type Config, ConfigError } from '../../config/config.js';
import { BreachFilter } from './breach-filter.js';
import { CommonPasswords } from './common-passwords.js';
import { contextWordIn } from './context-words.js';
import { PwnedRange } from './pwned-range.js';
import { StrengthEstimator } from './strength.js';
import type { PasswordContext, Weakness, WeaknessReason } from './weakness.js';

/** Of 0 to 4: about 10^8 guesses, too many to try over the wire, hashed slowly enough off it. */
const MIN_SCORE = 3;

/**
 * Decides whether a new password will do: long enough, not a known one, not made of the service's or
 * the person's own words, not easily guessed. No rule on kinds of characters (NIST SP 800-63B, 3.1.1.2).
 */
@Injectable()
export class PasswordPolicy implements OnModuleDestroy {
  private readonly common = new CommonPasswords();
  private readonly strength: StrengthEstimator;
  private readonly breached: BreachFilter | null;
  private readonly pwned: PwnedRange | null;

  constructor(
    logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    const { breachFile, hibp } = config.password;
    const warn = (error: Error) => logger.warn({ err: error }, 'one check of a new password was left out');
    this.strength = new StrengthEstimator(warn);
    this.breached = breachFile === null ? null : openFilter(breachFile);
    this.pwned = hibp ? new PwnedRange(warn) : null;
  }

  async onModuleDestroy(): Promise<void> {
    await this.strength.stop();
  }

  /** Says what is too weak in a new password, and what would help; null where it will do. Cheap checks first. */
  async weaknessOf(password: string, context: PasswordContext, current?: string): Promise<Weakness | null> {
    const { minLength, contextWords } = this.config.password;
    if (codePoints(password) < minLength) {
      return weak('too_short', `The password must be at least ${minLength} characters long.`);
    }
    if (password === current) return weak('unchanged', 'The new password must differ from the current one.');
    if (this.common.has(password)) return weak('common', 'This password is on the lists that attackers try first.');
    const word = contextWordIn(password, context, contextWords);
    if (word) return weak('context', `This password is little more than "${word}", which an attacker would try.`);
    if (this.breached?.has(password) || (await this.pwned?.has(password))) {
      return weak('breached', 'This password has appeared in a data breach.');
    }
    return this.guessability(password, [context.username, context.email, ...contextWords]);
  }

  private async guessability(password: string, words: string[]): Promise<Weakness | null> {
    const estimate = await this.strength.estimate(password, words);
    if (!estimate || estimate.score >= MIN_SCORE) return null;
    const why = estimate.warning ? ` ${estimate.warning}` : '';
    return weak('guessable', `This password is easy to guess.${why}`, estimate.suggestion ?? undefined);
  }
}

const weak = (
  reason: WeaknessReason,
  detail: string,
  suggestion = 'Several words that do not belong together are long and easy to keep in mind.',
): Weakness => ({ reason, detail, suggestion });

function openFilter(file: string): BreachFilter {
  try {
    return BreachFilter.open(file);
  } catch (error) {
    throw new ConfigError([`PASSWORD_BREACH_FILE: ${(error as Error).message}`]);
  }
}

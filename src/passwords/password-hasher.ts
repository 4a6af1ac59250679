import { createHash, randomBytes } from 'node:crypto';

import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';

import { HashGate, type HashPlace } from '../common/hash-gate.js';
import { Problem } from '../common/problem/problem.js';
import { Logger } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { hashArgon2id, isCurrentArgon2id } from './schemes/argon2id.js';
import { UnusableHashError } from './schemes/password-scheme.js';
import { findScheme } from './schemes/scheme-registry.js';

/** A right password, hashed anew. */
export interface Rehashed {
  readonly hash: string;
  /** The scheme of the hash before. */
  readonly from: string;
}

const REMEMBERED_FAULTS = 10_000;

/** Hashes and checks passwords: Argon2id for new ones, old systems' schemes as they come. All work passes the gate. */
@Injectable()
export class PasswordHasher implements OnModuleInit {
  /** What an unknown name is checked against: the same work as for a known one. */
  private dummy: string;
  private readonly reported = new Set<string>();

  constructor(
    private readonly gate: HashGate,
    private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws where this machine cannot hash at the configured cost: better now than at the first sign-in */
  async onModuleInit(): Promise<void> {
    this.dummy = await this.hash(randomBytes(16).toString('base64url'));
  }

  /** A flood is turned away here, before it costs the database anything. @throws Problem `overloaded` */
  reserve(): HashPlace {
    return this.gate.reserve();
  }

  /** @throws Problem `overloaded` */
  hash(password: string): Promise<string> {
    return this.gate.run(() => hashArgon2id(password, this.config.password.argon2));
  }

  /**
   * Whether the password fits the hash. Without a hash (no such user) or with one that is broken,
   * the dummy is checked, and the answer is false after the same work. @throws Problem `overloaded`
   */
  async verify(password: string, stored: string | null, at: Pick<HashPlace, 'run'> = this.gate): Promise<boolean> {
    const { dummy } = this;
    return at.run(async () => {
      if (stored === null) return this.pretend(password, dummy);
      const fits = await this.check(password, stored);
      // Another scheme or cost may be quick, a broken hash takes no time: a wrong password must not tell.
      const isOrdinary = isCurrentArgon2id(stored, this.config.password.argon2);
      return fits || (isOrdinary ? false : this.pretend(password, dummy));
    });
  }

  /** A new hash where `stored` is of an old scheme or cost; else null. Only for a password that fits. */
  async rehash(password: string, stored: string, at: HashPlace): Promise<Rehashed | null> {
    if (isCurrentArgon2id(stored, this.config.password.argon2)) return null;
    try {
      const hash = await at.run(() => hashArgon2id(password, this.config.password.argon2));
      return { hash, from: findScheme(stored)?.name ?? 'unknown' };
    } catch (error) {
      if (error instanceof Problem) return null; // too busy now: the next sign-in does it
      throw error;
    }
  }

  private async pretend(password: string, dummy: string): Promise<false> {
    await this.check(password, dummy);
    return false;
  }

  private async check(password: string, stored: string): Promise<boolean> {
    const scheme = findScheme(stored);
    try {
      if (!scheme) throw new UnusableHashError('unknown', 'malformed');
      return await scheme.verify(password, stored);
    } catch (error) {
      if (!(error instanceof UnusableHashError)) throw error;
      this.report(error, stored);
      return false;
    }
  }

  /** Once for each stored hash, and without it. */
  private report(error: UnusableHashError, stored: string): void {
    const mark = createHash('sha256').update(stored).digest('base64url').slice(0, 16);
    if (this.reported.has(mark)) return;
    if (this.reported.size >= REMEMBERED_FAULTS) this.reported.clear();
    this.reported.add(mark);
    this.logger.error(
      { scheme: error.scheme, reason: error.reason },
      'a stored password hash cannot be used: its owner has to reset it',
    );
  }
}

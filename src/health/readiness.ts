import { Injectable } from '@nestjs/common';

import { OVERLOADED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { Database, type Statement } from '../database/database.js';
import { KeyRing } from '../tokens/key-ring.js';

const PING: Statement = { name: 'ping', text: 'select 1' };
const PATIENCE_MS = 1000;

/** Knows whether traffic should come here. */
@Injectable()
export class Readiness {
  private draining = false;

  constructor(
    private readonly database: Database,
    private readonly ring: KeyRing,
  ) {}

  /** From now on not ready: the first step of a shutdown, so that load balancers look elsewhere. */
  drain(): void {
    this.draining = true;
  }

  /** @throws Problem `overloaded` where the database is away, there is no key to sign with, or a shutdown has begun */
  async assert(): Promise<void> {
    if (this.draining || !(await this.databaseAnswers()) || !this.ring.canSign)
      throw new Problem(OVERLOADED, { retryAfterSeconds: 1 });
  }

  private async databaseAnswers(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), PATIENCE_MS)));
    try {
      return await Promise.race([this.database.run(PING, []).then(() => true), tooLate]);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}

import { createHash, timingSafeEqual } from 'node:crypto';

import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';

import { NOT_FOUND, TOKEN_INVALID, TOKEN_MISSING } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { requestOf } from '../common/route-context.js';
import { CONFIG, type Config } from '../config/config.js';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Who may read the metrics: whoever holds METRICS_TOKEN. Without one they are open for development,
 * and production has no such page (ASVS 13.4.5).
 */
@Injectable()
export class MetricsGuard implements CanActivate {
  private readonly token: Buffer | null;

  constructor(@Inject(CONFIG) private readonly config: Config) {
    this.token = config.metricsToken === null ? null : digest(config.metricsToken);
  }

  canActivate(context: ExecutionContext): boolean {
    if (!this.token) {
      if (this.config.production) throw new Problem(NOT_FOUND);
      return true;
    }
    const [, given] = /^Bearer (.+)$/i.exec(requestOf(context).headers.authorization ?? '') ?? [];
    if (given === undefined) throw new Problem(TOKEN_MISSING, { detail: 'Send METRICS_TOKEN as a bearer token.' });
    if (!timingSafeEqual(digest(given), this.token)) throw new Problem(TOKEN_INVALID);
    return true;
  }
}

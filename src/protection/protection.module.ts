import { Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';

import { AccessModule } from '../access/access.module.js';
import { Clock } from '../common/clock.js';
import { Janitor } from '../common/janitor.js';
import { Logger } from '../common/logging.js';
import { CONFIG, type Config } from '../config/config.js';
import { CookieSession } from './cookie-session.js';
import { CrossSite } from './cross-site.js';
import { Lockout } from './lockout.js';
import { LockoutRepository } from './lockout.repository.js';
import { RateStore } from './rate-store.js';

@Module({
  imports: [
    AccessModule,
    ThrottlerModule.forRootAsync({
      inject: [CONFIG, Clock, Logger],
      // The guard brings each route's own limit; the module wants one to stand here.
      useFactory: async (config: Config, clock: Clock, logger: Logger) => ({
        throttlers: [{ limit: 0, ttl: 0 }],
        storage: await RateStore.open(config.redisUrl, clock, logger),
      }),
    }),
  ],
  providers: [CookieSession, CrossSite, Lockout, LockoutRepository],
  exports: [CookieSession, CrossSite, Lockout, ThrottlerModule, AccessModule],
})
export class ProtectionModule {
  constructor(janitor: Janitor, counters: LockoutRepository) {
    janitor.add(counters);
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';

import { AccessGuard } from './access/access.guard.js';
import { AccessModule } from './access/access.module.js';
import { AdminModule } from './admin/admin.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { ClientsModule } from './clients/clients.module.js';
import { CommonModule } from './common/common.module.js';
import type { Logger } from './common/logging.js';
import { ProblemFilter } from './common/problem/problem.filter.js';
import { ValidationPipe } from './common/validation.js';
import type { Config } from './config/config.js';
import type { Database } from './database/database.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './health/health.module.js';
import { KeysModule } from './keys/keys.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { MfaModule } from './mfa/mfa.module.js';
import { OAuthModule } from './oauth/oauth.module.js';
import { CsrfGuard } from './protection/csrf.guard.js';
import { ProtectionModule } from './protection/protection.module.js';
import { RateLimitGuard } from './protection/rate-limit.guard.js';
import { RequestCounter } from './protection/request-counter.js';
import { RevocationsModule } from './revocations/revocations.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { TokensModule } from './tokens/tokens.module.js';
import { UsersModule } from './users/users.module.js';

/** The map of the service. What every request passes stands in `providers`, in its order. */
@Module({})
export class AppModule {
  static of(config: Config, database: Database, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        CommonModule.of(config, logger),
        DatabaseModule.of(database),
        // Routes are tried in this order: what is called most comes first.
        OAuthModule,
        AuthModule,
        AdminModule,
        UsersModule,
        SessionsModule,
        MfaModule,
        TokensModule,
        KeysModule,
        RevocationsModule,
        ClientsModule,
        AccessModule,
        ProtectionModule,
        AuditModule,
        HealthModule,
        MetricsModule,
      ],
      providers: [
        { provide: APP_GUARD, useExisting: RateLimitGuard },
        { provide: APP_GUARD, useClass: CsrfGuard },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_PIPE, useClass: ValidationPipe },
        { provide: APP_FILTER, useClass: ProblemFilter },
        RateLimitGuard,
        RequestCounter,
        ProblemFilter,
      ],
    };
  }
}

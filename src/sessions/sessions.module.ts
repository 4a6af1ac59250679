import { Module } from '@nestjs/common';

import { AuditModule } from '../audit/audit.module.js';
import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { Janitor } from '../common/janitor.js';
import { RevocationsModule } from '../revocations/revocations.module.js';
import { DeviceKeys } from './device.js';
import { DevicesController } from './devices.controller.js';
import { DevicesRepository } from './devices.repository.js';
import { KnownBrowser } from './known-browser.js';
import { RefreshTokens } from './refresh-token.js';
import { RefreshService } from './refresh.service.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';

@Module({
  imports: [AuditModule, RevocationsModule],
  controllers: [DevicesController, SessionsController],
  providers: [
    SessionsRepository,
    DevicesRepository,
    KnownBrowser,
    SessionsService,
    RefreshService,
    { provide: RefreshTokens, inject: [DerivedKeys], useFactory: (keys: DerivedKeys) => new RefreshTokens(keys) },
    { provide: DeviceKeys, inject: [DerivedKeys], useFactory: (keys: DerivedKeys) => new DeviceKeys(keys) },
  ],
  exports: [
    AuditModule,
    RevocationsModule,
    SessionsRepository,
    DevicesRepository,
    KnownBrowser,
    SessionsService,
    RefreshService,
    RefreshTokens,
    DeviceKeys,
  ],
})
export class SessionsModule {
  constructor(janitor: Janitor, sessions: SessionsRepository) {
    janitor.add(sessions);
  }
}

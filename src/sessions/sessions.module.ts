import { Module } from '@nestjs/common';

import { AuditModule } from '../audit/audit.module.js';
import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { DeviceKeys } from './device.js';
import { DevicesController } from './devices.controller.js';
import { DevicesRepository } from './devices.repository.js';
import { RefreshTokens } from './refresh-token.js';
import { RefreshService } from './refresh.service.js';
import { SessionsRepository } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';

@Module({
  imports: [AuditModule],
  controllers: [DevicesController],
  providers: [
    SessionsRepository,
    DevicesRepository,
    SessionsService,
    RefreshService,
    { provide: RefreshTokens, inject: [DerivedKeys], useFactory: (keys: DerivedKeys) => new RefreshTokens(keys) },
    { provide: DeviceKeys, inject: [DerivedKeys], useFactory: (keys: DerivedKeys) => new DeviceKeys(keys) },
  ],
  exports: [
    AuditModule,
    SessionsRepository,
    DevicesRepository,
    SessionsService,
    RefreshService,
    RefreshTokens,
    DeviceKeys,
  ],
})
export class SessionsModule {}

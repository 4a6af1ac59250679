import { Module } from '@nestjs/common';

import { AuditModule } from '../audit/audit.module.js';
import { Janitor } from '../common/janitor.js';
import { RevocationsModule } from '../revocations/revocations.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { KeyDestroyer } from './key-destroyer.js';
import { KeysService } from './keys.service.js';

@Module({
  imports: [AuditModule, RevocationsModule, TokensModule],
  providers: [KeysService, KeyDestroyer],
  exports: [KeysService],
})
export class KeysModule {
  constructor(janitor: Janitor, destroyer: KeyDestroyer) {
    janitor.add(destroyer);
  }
}

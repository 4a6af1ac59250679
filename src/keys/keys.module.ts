import { Module } from '@nestjs/common';

import { AuditModule } from '../audit/audit.module.js';
import { Janitor } from '../common/janitor.js';
import { RevocationsModule } from '../revocations/revocations.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { KeyDestroyer } from './key-destroyer.js';
import { KeysService } from './keys.service.js';
import { LastStart } from './last-start.js';
import { LastStartRepository } from './last-start.repository.js';

@Module({
  imports: [AuditModule, RevocationsModule, TokensModule],
  providers: [KeysService, KeyDestroyer, LastStart, LastStartRepository],
  exports: [KeysService],
})
export class KeysModule {
  constructor(janitor: Janitor, destroyer: KeyDestroyer) {
    janitor.add(destroyer);
  }
}

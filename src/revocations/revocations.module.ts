import { Module } from '@nestjs/common';

import { AuditModule } from '../audit/audit.module.js';
import { Janitor } from '../common/janitor.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { RevocationFeed } from './revocation-feed.js';
import { RevocationPages } from './revocation-pages.js';
import { RevocationStreams } from './revocation-streams.js';
import { RevocationsController } from './revocations.controller.js';
import { RevocationsRepository } from './revocations.repository.js';
import { Revoker } from './revoker.js';
import { SecurityEventTokens } from './security-event-tokens.js';

@Module({
  imports: [AuditModule, TokensModule],
  controllers: [RevocationsController],
  providers: [RevocationsRepository, Revoker, RevocationFeed, RevocationPages, RevocationStreams, SecurityEventTokens],
  exports: [Revoker, RevocationFeed],
})
export class RevocationsModule {
  constructor(janitor: Janitor, revocations: RevocationsRepository) {
    janitor.add(revocations);
  }
}

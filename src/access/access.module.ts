import { Module } from '@nestjs/common';

import { AuditModule } from '../audit/audit.module.js';
import { ClientsModule } from '../clients/clients.module.js';
import { RevocationsModule } from '../revocations/revocations.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { RolesRepository } from './roles.repository.js';

@Module({
  imports: [AuditModule, ClientsModule, RevocationsModule, SessionsModule, TokensModule],
  providers: [AccessTokenStrategy, RolesRepository],
  exports: [AuditModule, ClientsModule, RolesRepository, SessionsModule, TokensModule],
})
export class AccessModule {}

import { Module } from '@nestjs/common';

import { AuditModule } from '../audit/audit.module.js';
import { ClientsModule } from '../clients/clients.module.js';
import { RevocationsModule } from '../revocations/revocations.module.js';
import { SessionsModule } from '../sessions/sessions.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { UsersModule } from '../users/users.module.js';
import { Administrators } from './administrators.js';
import { AccessTokenStrategy } from './access-token.strategy.js';
import { ClientAccess } from './client-access.js';
import { FailedClients } from './failed-clients.js';
import { RolesRepository } from './roles.repository.js';

@Module({
  imports: [AuditModule, ClientsModule, RevocationsModule, SessionsModule, TokensModule, UsersModule],
  providers: [AccessTokenStrategy, Administrators, ClientAccess, FailedClients, RolesRepository],
  exports: [
    Administrators,
    AuditModule,
    ClientAccess,
    ClientsModule,
    RevocationsModule,
    RolesRepository,
    SessionsModule,
    TokensModule,
  ],
})
export class AccessModule {}

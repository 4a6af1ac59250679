import { Module } from '@nestjs/common';

import { MfaModule } from '../mfa/mfa.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { UsersModule } from '../users/users.module.js';
import { AdminAuditController } from './audit.controller.js';
import { AuditExport } from './audit-export.js';
import { AdminClientsController } from './clients.controller.js';
import { AdminClientsService } from './clients.service.js';
import { FirstAdministrator } from './first-administrator.js';
import { AdminRolesController } from './roles.controller.js';
import { AdminRolesService } from './roles.service.js';
import { StatsController } from './stats.controller.js';
import { StatsRepository } from './stats.repository.js';
import { AdminUsersController } from './users.controller.js';
import { AdminUsersService } from './users.service.js';

@Module({
  imports: [MfaModule, PasswordsModule, UsersModule],
  controllers: [
    AdminUsersController,
    AdminRolesController,
    AdminClientsController,
    AdminAuditController,
    StatsController,
  ],
  providers: [
    AdminClientsService,
    FirstAdministrator,
    AdminUsersService,
    AdminRolesService,
    AuditExport,
    StatsRepository,
  ],
})
export class AdminModule {}

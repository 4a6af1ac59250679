import { Module } from '@nestjs/common';

import { ActivityController } from './activity.controller.js';
import { AuditLog } from './audit-log.js';
import { AuditPartitions } from './audit-partitions.js';
import { AuditRepository } from './audit.repository.js';
import { RefusalBudget } from './refusal-budget.js';

@Module({
  controllers: [ActivityController],
  providers: [AuditLog, AuditRepository, AuditPartitions, RefusalBudget],
  exports: [AuditLog, AuditRepository],
})
export class AuditModule {}

import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Logger } from '../common/logging.js';
import { Database } from '../database/database.js';
import { AuditRepository } from './audit.repository.js';

const MONTHS_AHEAD = 3;
const EVERY_MS = 6 * 3600 * 1000;

/**
 * Keeps the partitions of the coming months ready: before anybody is served, since an event of a month without one goes to the
 * default partition, which then keeps that month.
 */
@Injectable()
export class AuditPartitions implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout;

  constructor(
    private readonly repository: AuditRepository,
    private readonly logger: Logger,
    database: Database,
  ) {
    database.beforeReady((manager) => this.create(manager));
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.create(), EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async create(manager?: EntityManager): Promise<void> {
    try {
      await this.repository.createPartitions(MONTHS_AHEAD, manager);
    } catch (error) {
      this.logger.warn({ err: error }, 'audit partitions were not made; the next try is in six hours');
    }
  }
}

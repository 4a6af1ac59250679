import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { Logger } from '../common/logging.js';
import { AuditRepository } from './audit.repository.js';

const MONTHS_AHEAD = 3;
/** After the start, when the database has had time to answer. */
const SOON_MS = 60_000;
const EVERY_MS = 6 * 3600 * 1000;

/** Keeps the partitions of the coming months ready. A miss costs nothing: the default one catches. */
@Injectable()
export class AuditPartitions implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout;

  constructor(
    private readonly repository: AuditRepository,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    setTimeout(() => void this.create(), SOON_MS).unref();
    this.timer = setInterval(() => void this.create(), EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async create(): Promise<void> {
    try {
      await this.repository.createPartitions(MONTHS_AHEAD);
    } catch (error) {
      this.logger.warn({ err: error }, 'audit partitions were not made; the next try is in six hours');
    }
  }
}

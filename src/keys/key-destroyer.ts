import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import type { Chore } from '../common/janitor.js';
import { JANITOR } from '../common/request-source.js';
import { SigningKeysRepository } from '../tokens/signing-keys.repository.js';

/** Destroys what was retired, once its last token has ended. The row stays, so that the kid never comes back. */
@Injectable()
export class KeyDestroyer implements Chore {
  readonly name = 'retired signing keys';

  constructor(
    private readonly repository: SigningKeysRepository,
    private readonly audit: AuditLog,
  ) {}

  async sweep(tx: EntityManager, now: Date, limit: number): Promise<number> {
    const kids = await this.repository.destroy(tx, now, limit);
    for (const kid of kids) await this.audit.record(tx, { type: 'key.destroyed', details: { kid } }, JANITOR);
    return kids.length;
  }
}

import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { CONFIG, type Config } from '../config/config.js';
import { KeyVault } from '../tokens/key-vault.js';
import { KeyRefused } from './key-refused.js';
import type { KeyStatus } from './key-status.js';
import { LastStartRepository } from './last-start.repository.js';

/**
 * Holds commands to what the service runs with. A shell that lacks its settings has another `MASTER_SECRET`: what it sealed
 * the service could not open.
 */
@Injectable()
export class LastStart {
  constructor(
    private readonly repository: LastStartRepository,
    private readonly vault: KeyVault,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** At a start that could open all keys: from now on its settings count. */
  async record(tx: EntityManager): Promise<void> {
    await this.repository.write(tx, {
      masterSecretId: this.vault.keyId,
      accessTokenSeconds: this.config.tokens.accessTokenSeconds,
    });
  }

  /** Before the first start the keys themselves tell. @throws KeyRefused where `MASTER_SECRET` is not the service's */
  async assertSameSecret(tx: EntityManager, keys: readonly KeyStatus[]): Promise<void> {
    const start = await this.repository.read(tx);
    const unreadable = keys.find(({ state, retiredAt }) => state === 'unreadable' && retiredAt === null);
    if (start ? start.masterSecretId === this.vault.keyId : !unreadable) return;
    const what = unreadable
      ? `MASTER_SECRET does not open the key ${unreadable.kid}`
      : 'MASTER_SECRET is not the one that the service last started with';
    throw new KeyRefused(
      `${what}: nothing was changed. Run this with the settings of the service; where its secret is lost, see latchkey keys retire --help`,
    );
  }

  /** The longest life of an access token, by the service's settings and by those at hand. */
  async accessTokenSeconds(tx: EntityManager): Promise<number> {
    const start = await this.repository.read(tx);
    return Math.max(this.config.tokens.accessTokenSeconds, start?.accessTokenSeconds ?? 0);
  }
}

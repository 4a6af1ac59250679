import { setTimeout as sleep } from 'node:timers/promises';

import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { Clock } from '../common/clock.js';
import type { Chore } from '../common/janitor.js';
import { Logger } from '../common/logging.js';
import { ConfigError } from '../config/config.js';
import { Database } from '../database/database.js';
import type { Listener } from '../database/listener.js';
import { ConfiguredKeys } from './configured-keys.js';
import { KeyRing } from './key-ring.js';
import { KeyVault } from './key-vault.js';
import { compose, type OpenedKey } from './ring-composition.js';
import type { RingKey } from './ring-key.js';
import type { StoredKey } from './signing-key.entity.js';
import { SIGNING_KEYS_CHANNEL, SigningKeysRepository } from './signing-keys.repository.js';

/** A lost notification, and a change of the file, cost this much. */
const POLL_MS = 1000;
/** The least time between two looks for keys that nobody knows: tokens with made-up ids cause no storm. */
const LEARN_EVERY_MS = 100;

/**
 * Keeps this replica's ring true without a restart. Of the database it hears at once, and looks each second as well;
 * at the file it looks each second. Where one of them fails, the ring stays as it was.
 */
@Injectable()
export class KeyRingKeeper implements Chore, OnApplicationBootstrap, OnModuleDestroy {
  readonly name = 'signing keys of another MASTER_SECRET';
  /** Keys that were opened. They stay when `MASTER_SECRET` changes elsewhere first, and are the same objects each time. */
  private readonly prepared = new Map<string, RingKey>();
  private opened: readonly OpenedKey[] = [];
  private looking: Promise<void> | null = null;
  private learning: Promise<void> | null = null;
  private learntAt = -Infinity;
  private isDirty = false;
  private isAway = false;
  private hasLooked = false;
  private isService = false;
  /** What was said about last: each fault is logged once. */
  private saidOfFile: string | null = null;
  private saidOfUnreadable = '';
  private timer: NodeJS.Timeout;
  private listener: Listener | null = null;

  constructor(
    private readonly ring: KeyRing,
    private readonly configured: ConfiguredKeys,
    private readonly repository: SigningKeysRepository,
    private readonly vault: KeyVault,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.compose();
    database.beforeReady((manager) => this.take(manager));
  }

  async onApplicationBootstrap(): Promise<void> {
    this.listener = this.database.listener(SIGNING_KEYS_CHANNEL, () => void this.refresh());
    this.timer = setInterval(() => void this.tick(), POLL_MS).unref();
    await this.tick();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.listener?.close();
  }

  /** Whether the keys of the database were read: once they were, the ring holds them also while the database is away. */
  get isInformed(): boolean {
    return this.hasLooked;
  }

  /** Rows whose key ought to be there and does not open: `MASTER_SECRET` is another one. */
  get unreadable(): readonly StoredKey[] {
    return this.opened.flatMap(({ row, key }) => (key === null && row.retiredAt === null ? row : []));
  }

  /** Why `JWT_KEYS_FILE` as it is now is not in use; null where it is. */
  get fileFault(): string | null {
    return this.configured.fault;
  }

  /** @throws ConfigError where this service could not open the keys that it is to sign with */
  assertReadable(): void {
    const kids = this.unreadable.map(({ kid }) => kid);
    if (kids.length > 0)
      throw new ConfigError([
        `MASTER_SECRET does not open ${kids.length === 1 ? 'the signing key' : 'the signing keys'} ${kids.join(', ')} of the database: set it, or MASTER_SECRET_PREVIOUS, to the one that sealed them`,
      ]);
  }

  /** Looks for what is new in the database, once more where the word came during a look. */
  refresh(): Promise<void> {
    this.isDirty = true;
    this.looking ??= this.look().finally(() => (this.looking = null));
    return this.looking;
  }

  /** A look that begins after this call, for a token whose key this replica has not heard of. Callers share it. */
  learn(): Promise<void> {
    this.learning ??= this.learnSoon();
    return this.learning;
  }

  /** At a start of the service. Commands never seal anew: what they seal with may be a secret that no replica has yet. */
  async sealAnew(tx: EntityManager): Promise<void> {
    this.isService = true;
    await this.sweep(tx);
  }

  /**
   * Seals those anew that another `MASTER_SECRET` sealed: at the start, and then each minute by one replica, so that it
   * comes to rest also where the secret is changed at one replica after the other.
   */
  async sweep(tx: EntityManager): Promise<number> {
    if (!this.isService) return 0;
    const others = this.opened.filter(({ row }) => row.keyId !== null && row.keyId !== this.vault.keyId);
    for (const { row } of others) {
      const jwk = this.vault.open(row);
      if (jwk) await this.repository.reseal(tx, row.kid, row.keyId!, this.vault.seal(jwk, row));
    }
    return 0; // none is left to be done at once
  }

  private async learnSoon(): Promise<void> {
    await sleep(Math.max(0, this.learntAt + LEARN_EVERY_MS - performance.now()), undefined, { ref: false });
    this.learning = null;
    this.learntAt = performance.now();
    await this.refresh();
  }

  private async tick(): Promise<void> {
    await this.configured.reload();
    this.tellOfFile();
    this.compose();
    if (!this.database.isReady) return;
    if (this.listener && !this.listener.isOpen) void this.listener.open();
    await this.refresh();
  }

  private async look(): Promise<void> {
    while (this.isDirty) {
      this.isDirty = false;
      if (!this.database.isReady) return;
      try {
        await this.take(this.database.manager);
        this.isAway = false;
      } catch (error) {
        if (!this.isAway) this.logger.warn({ err: error }, 'signing keys cannot be read: those that are known stay');
        this.isAway = true;
      }
    }
  }

  private async take(manager: EntityManager): Promise<void> {
    const rows = await this.repository.list(manager);
    this.opened = rows.map((row) => ({ row, key: this.keyOf(row) }));
    for (const kid of this.prepared.keys()) if (!rows.some((row) => row.kid === kid)) this.prepared.delete(kid);
    this.compose();
    this.tellOfUnreadable();
    this.hasLooked = true;
  }

  private compose(): void {
    this.ring.put(compose(this.configured, this.opened, this.clock.now()));
  }

  private keyOf(row: StoredKey): RingKey | null {
    if (row.sealed === null) {
      this.prepared.delete(row.kid);
      return null;
    }
    const known = this.prepared.get(row.kid);
    if (known) return known;
    const key = this.vault.prepare(row);
    if (key) this.prepared.set(row.kid, key);
    return key;
  }

  private tellOfFile(): void {
    const { fault } = this.configured;
    if (fault === this.saidOfFile) return;
    if (fault !== null) this.logger.error({ fault }, 'JWT_KEYS_FILE is not in use as it is: the keys of before stay');
    else this.logger.info({}, 'JWT_KEYS_FILE is in use again');
    this.saidOfFile = fault;
  }

  private tellOfUnreadable(): void {
    const kids = this.unreadable.map(({ kid }) => kid);
    if (kids.join() === this.saidOfUnreadable) return;
    if (kids.length > 0)
      this.logger.error({ kids }, 'MASTER_SECRET does not open these signing keys: they do not count');
    this.saidOfUnreadable = kids.join();
  }
}

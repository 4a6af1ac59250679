import { EventEmitter } from 'node:events';

import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { type AccessTokenClaims, type RevocationKind, RevocationSet } from '#verifier';

import { Clock } from '../common/clock.js';
import { Logger } from '../common/logging.js';
import { Database } from '../database/database.js';
import type { Listener } from '../database/listener.js';
import type { RevocationEntry } from './revocation.js';
import { type PlacedEntry, REVOCATIONS_CHANNEL, RevocationsRepository } from './revocations.repository.js';

/** A lost notification costs this much, not a hole. */
const POLL_MS = 1000;
const BATCH = 10_000;

interface FeedEvents {
  /** New entries; subscribers resume from `cursor`. */
  entries: [entries: readonly RevocationEntry[], cursor: number];
  /** A look at the database saw all that there was. */
  sync: [cursor: number, asOf: Date];
  /** What was known is worth nothing: the database is another one now, or an older one. */
  reset: [];
}

/**
 * This replica's copy of the revocations that still matter. Notifications bring it up to date at
 * once, and a look each second where one was lost (docs/adr/0008).
 */
@Injectable()
export class RevocationFeed extends EventEmitter<FeedEvents> implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly entries = new Map<string, PlacedEntry>();
  private revoked: RevocationSet;
  private horizon = 0;
  private syncedAt: Date | null = null;
  private looking: Promise<void> | null = null;
  private isDirty = false;
  private timer: NodeJS.Timeout;
  private listener: Listener | null = null;

  constructor(
    private readonly repository: RevocationsRepository,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    super();
    this.setMaxListeners(0); // one for each subscriber
    this.revoked = this.emptySet();
  }

  onApplicationBootstrap(): void {
    this.listener = this.database.listener(REVOCATIONS_CHANNEL, () => void this.refresh());
    this.timer = setInterval(() => void this.tick(), POLL_MS).unref();
    void this.tick();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.listener?.close();
  }

  /** Where a subscriber goes on that has seen all of {@link since}. */
  get cursor(): number {
    return this.horizon;
  }

  /** When the copy was last complete; null before the first look, and while the database is away. */
  get asOf(): Date | null {
    return this.syncedAt;
  }

  /** The live entries from `cursor` on; all of them where the cursor is none of this database's. */
  since(cursor: number): RevocationEntry[] {
    const from = cursor > this.horizon ? 0 : cursor;
    const now = this.clock.now().toISOString();
    return [...this.entries.values()]
      .filter(({ position, expires_at }) => position >= from && expires_at > now)
      .map(toEntry);
  }

  /** By what a token is refused, as far as this replica has heard; null where it is not. */
  match(claims: AccessTokenClaims, kid: string): RevocationKind | null {
    return this.revoked.match(claims, kid);
  }

  /** Looks for what is new, once more where the word came during a look. */
  refresh(): Promise<void> {
    this.isDirty = true;
    this.looking ??= this.look().finally(() => (this.looking = null));
    return this.looking;
  }

  private async tick(): Promise<void> {
    if (!this.database.isReady) return;
    this.forget(this.clock.now());
    if (this.listener && !this.listener.isOpen) void this.listener.open();
    await this.refresh();
  }

  private async look(): Promise<void> {
    while (this.isDirty) {
      this.isDirty = false;
      try {
        await this.take();
      } catch (error) {
        if (this.syncedAt) this.logger.warn({ err: error }, 'revocations cannot be read: verifiers hear nothing new');
        this.syncedAt = null;
      }
    }
  }

  private async take(): Promise<void> {
    const now = this.clock.now();
    const fresh: PlacedEntry[] = [];
    let sight = await this.repository.look(this.horizon, null, now, BATCH);
    const { horizon } = sight;
    if (horizon < this.horizon) return this.startAnew();
    for (;;) {
      fresh.push(...sight.entries.filter(({ id }) => !this.entries.has(id)));
      if (sight.entries.length < BATCH) break;
      sight = await this.repository.look(this.horizon, sight.entries.at(-1)!, now, BATCH);
    }
    for (const entry of fresh) {
      this.entries.set(entry.id, entry);
      this.revoked.add(entry);
    }
    this.horizon = horizon;
    this.syncedAt = now;
    if (fresh.length > 0) this.emit('entries', fresh.map(toEntry), horizon);
    this.emit('sync', horizon, now);
  }

  /** The database counts from further back than before: restored from a backup, or a standby that was behind. */
  private startAnew(): void {
    this.logger.warn({}, 'the database is older than it was: the revocation feed starts anew');
    this.entries.clear();
    this.revoked = this.emptySet();
    this.horizon = 0;
    this.isDirty = true;
    this.emit('reset');
  }

  private emptySet(): RevocationSet {
    return new RevocationSet(() => this.clock.now().getTime());
  }

  private forget(now: Date): void {
    this.revoked.sweep();
    const instant = now.toISOString();
    for (const [id, { expires_at }] of this.entries) if (expires_at <= instant) this.entries.delete(id);
  }
}

const toEntry = ({ position: _position, ...entry }: PlacedEntry): RevocationEntry => entry;

import { performance } from 'node:perf_hooks';

import type { AccessTokenClaims } from './claims.js';
import { type AddOutcome, type RevocationEntry, type RevocationKind, RevocationSet } from './revocation-set.js';
import type { RevocationSink } from './revocation-source.js';

/** The set of revocations, and how fresh it is. */
export class RevocationState implements RevocationSink {
  readonly outcomes: Record<AddOutcome, number> = { added: 0, expired: 0, malformed: 0, unknown: 0 };
  /** Milliseconds since 1970; null before the first entry. */
  lastEventAt: number | null = null;
  private current: RevocationSet;
  /** What has come since a reset. The old set rules until the new one is whole: no revoked token slips through. */
  private next: RevocationSet | null = null;
  /** By a clock that nobody sets. */
  private syncedAt: number | null = null;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly now: () => number,
    private readonly staleAfterMs: number,
  ) {
    this.current = new RevocationSet(now);
  }

  get size(): number {
    return this.current.size;
  }

  add(entry: RevocationEntry): void {
    this.lastEventAt = this.now();
    const isObject = typeof entry === 'object' && entry !== null;
    this.outcomes[isObject ? this.current.add(entry) : 'malformed'] += 1;
    if (isObject) this.next?.add(entry);
  }

  reset(): void {
    this.next = new RevocationSet(this.now);
  }

  synced(): void {
    if (this.next) this.current = this.next;
    this.next = null;
    this.current.sweep();
    this.syncedAt = performance.now();
    for (const wake of this.waiting.splice(0)) wake();
  }

  match(claims: AccessTokenClaims, kid: string): RevocationKind | null {
    return this.current.match(claims, kid);
  }

  /** Milliseconds for which it has not been known what was revoked; null before it ever was. */
  lagMs(): number | null {
    return this.syncedAt === null ? null : performance.now() - this.syncedAt;
  }

  /** Before the first backlog, too: nothing is known then. */
  isStale(): boolean {
    return this.syncedAt === null || performance.now() - this.syncedAt > this.staleAfterMs;
  }

  /** Resolves once the first backlog has been read. */
  async whenSynced(): Promise<void> {
    if (this.syncedAt === null) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

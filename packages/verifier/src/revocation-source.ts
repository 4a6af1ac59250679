import type { RevocationEntry } from './revocation-set.js';

/** Where a {@link RevocationSource} puts what it learns. */
export interface RevocationSink {
  /** Takes effect at once. Any JSON value may be handed in; what is no entry is counted and ignored. */
  add(entry: RevocationEntry): void;
  /** What was added before no longer counts; all that does follows, and then `synced()`. */
  reset(): void;
  /** All that was revoked until now has been added. Freshness is measured from here. */
  synced(): void;
}

/** What a source tells of itself in `stats()`. */
export interface SourceStats {
  connected: boolean;
  /** Connections made after the first. */
  reconnects: number;
  /** Why there is no connection, in a word that holds no secret; null while there is one. */
  lastError: string | null;
}

/**
 * Something that knows what is revoked: the feed of Latchkey over HTTP, or, within the service
 * itself, its database. Never throws; keeps the process alive for nothing.
 */
export interface RevocationSource {
  start(sink: RevocationSink): void;
  close(): void;
  stats?(): SourceStats;
  /** Asks the issuer about one token (RFC 7662): is it active? Rejects where there is no answer. */
  introspect?(token: string): Promise<boolean>;
}

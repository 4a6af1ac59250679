import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Fetch, fetchJson } from './fetch-json.js';
import { importJwk, type Jwk, type KeyFinder, KeySet, type VerifyKey } from './keys.js';

export interface RemoteKeysSettings {
  jwksUri: string;
  /** The least time between two fetches, so that tokens with made-up key ids cause no storm. */
  cooldownMs: number;
  /** How old the set may grow before it is fetched anew: until then a key that was withdrawn counts. */
  maxAgeMs: number;
  fetch: Fetch;
}

const MAX_KEYS = 100;
/** So many tokens with unknown keys wait for a fetch at once; more are refused. */
const MAX_WAITING = 1000;
const FIRST_RETRY_MS = 250;

/** The keys that a JWK Set endpoint publishes (RFC 7517, section 5). Once loaded, they outlast its outages. */
export class RemoteKeys implements KeyFinder {
  private keys = new KeySet();
  private loaded = false;
  private closed = false;
  private pending: Promise<void> | null = null;
  /** The next fetch, which waits for the cool-down. */
  private next: Promise<void> | null = null;
  private asking = 0;
  private attemptedAt = -Infinity;
  private failures = 0;
  private timer: NodeJS.Timeout | null = null;
  private waiting: (() => void)[] = [];
  /** Completed fetches, good and bad. */
  fetches = 0;

  constructor(private readonly settings: RemoteKeysSettings) {}

  get isLoaded(): boolean {
    return this.loaded;
  }

  get size(): number {
    return this.keys.size;
  }

  start(): void {
    void this.fetch();
  }

  find(kid: string): VerifyKey | undefined {
    return this.keys.find(kid);
  }

  /**
   * Fetches the set for a key that is not in it. A token is not refused because others, with made-up keys, came a moment
   * before: it waits until the cool-down allows a fetch, which all that wait share. Never rejects.
   */
  async refresh(kid: string): Promise<void> {
    if (this.asking >= MAX_WAITING) return;
    this.asking += 1;
    try {
      if (this.pending) await this.pending; // it may have begun before the key was published
      if (!this.find(kid)) await (this.next ??= this.fetchNext());
    } finally {
      this.asking -= 1;
    }
  }

  /** Resolves once keys have been loaded. */
  async whenLoaded(): Promise<void> {
    if (!this.loaded) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
  }

  private async fetchNext(): Promise<void> {
    await sleep(Math.max(0, this.attemptedAt + this.settings.cooldownMs - performance.now()), undefined, {
      ref: false,
    });
    this.next = null;
    await this.fetch();
  }

  private fetch(): Promise<void> {
    if (this.closed) return Promise.resolve();
    this.attemptedAt = performance.now();
    this.pending ??= this.load().finally(() => {
      this.pending = null;
      this.fetches += 1;
      this.schedule();
    });
    return this.pending;
  }

  private async load(): Promise<void> {
    try {
      this.keys = readKeys(await fetchJson(this.settings.fetch, this.settings.jwksUri), this.keys);
      this.failures = 0;
      this.loaded = true;
      for (const wake of this.waiting.splice(0)) wake();
    } catch {
      this.failures += 1; // the keys that were known stay
    }
  }

  private schedule(): void {
    if (this.closed) return;
    if (this.timer) clearTimeout(this.timer);
    const { maxAgeMs, cooldownMs } = this.settings;
    const retryMs = FIRST_RETRY_MS * 2 ** Math.min(this.failures, 20);
    const waitMs = this.failures === 0 ? maxAgeMs : Math.min(retryMs, this.loaded ? maxAgeMs : cooldownMs);
    this.timer = setTimeout(() => void this.fetch(), waitMs).unref();
  }
}

/**
 * Keys that are not for us are passed over (RFC 7517, section 5), and shared ones: what is published is no secret. An empty set is
 * believed: the last key may have been withdrawn. A key that was there `before` stays the same object.
 */
function readKeys(jwks: unknown, before: KeyFinder): KeySet {
  const { keys } = (jwks ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw new Error('no JWK Set');
  const byKid = new Map<string, VerifyKey>();
  for (const jwk of keys as (Jwk | null)[]) {
    if (typeof jwk !== 'object' || jwk === null || jwk.kty === 'oct') continue;
    try {
      const key = importJwk(jwk);
      const known = before.find(key.kid);
      const isSame = known?.algorithm === key.algorithm && known.verifyKey.equals(key.verifyKey);
      if (!byKid.has(key.kid)) byKid.set(key.kid, isSame ? known : key);
    } catch {
      continue;
    }
  }
  return new KeySet([...byKid.values()]);
}

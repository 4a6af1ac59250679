import { setTimeout as sleep } from 'node:timers/promises';

import type { AccessTokenClaims } from './claims.js';
import { TokenInvalid, TokenRevoked, VerifierConfigError, VerifierStale } from './errors.js';
import { type FeedSettings, RevocationFeed } from './feed/revocation-feed.js';
import type { Fetch } from './fetch-json.js';
import { importKey, type Jwk, type KeyFinder, KeySet, type SharedSecret } from './keys.js';
import { RemoteKeys } from './remote-keys.js';
import type { RevocationSource, SourceStats } from './revocation-source.js';
import { RevocationState } from './revocation-state.js';
import { TokenCache } from './token-cache.js';
import { type CheckedToken, type CheckOptions, kidOf, TokenChecker } from './token-checker.js';

/** What to do with tokens while it is not known what was revoked. */
export type OnStale = 'accept' | 'reject' | 'introspect';

export interface VerifierOptions {
  /** The `iss` of good tokens. */
  readonly issuer: string;
  /** The `aud` of good tokens; one of them, where there are several. */
  readonly audience: string | readonly string[];
  /** Keys that are known beforehand. */
  readonly keys?: readonly (Jwk | SharedSecret)[];
  /** Where public keys are published. One of the two is needed, or both. */
  readonly jwksUri?: string;
  /** The feed of Latchkey, or a source of one's own. Left out, tokens live to their `exp`. */
  readonly revocations?: FeedSettings | RevocationSource;
  /**
   * Once the feed has been silent for `staleAfterSeconds`, and before it was ever heard: `accept`
   * tokens by what is known (the default), `reject` them as 503, or `introspect` each at the issuer.
   */
  readonly onStale?: OnStale;
  /** Default 15: three times what the feed lets pass between two signs of life. */
  readonly staleAfterSeconds?: number;
  /** The longest life that a token may claim. Default 86400. */
  readonly maxTokenAgeSeconds?: number;
  /** How far the issuer's clock may run ahead. Never lengthens a token's life. Default 5. */
  readonly clockToleranceSeconds?: number;
  /** Remembers so many tokens that were verified; their key, revocation and expiry are looked at each time. Default: none. */
  readonly cache?: { readonly max: number };
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number;
  readonly fetch?: Fetch;
}

export interface VerifierStats {
  /** Subjects that are revoked now. */
  readonly entries: number;
  /** When an entry came last, in milliseconds since 1970. */
  readonly lastEventAt: number | null;
  /** For how long it has not been known what was revoked, in milliseconds; null before it ever was. */
  readonly lagMs: number | null;
  readonly stale: boolean;
  /** Of the feed; null without one. */
  readonly feed: SourceStats | null;
  /** Entries that were ignored: of kinds that this version does not know, and such as make no sense. */
  readonly ignoredEntries: number;
  readonly keys: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
}

/** Verifies access tokens without a call, and knows what was revoked. */
export interface Verifier {
  /** The claims of a good token. @throws TokenInvalid, TokenExpired, TokenRevoked, VerifierStale */
  verify(token: string, options?: CheckOptions): Promise<AccessTokenClaims>;
  /** The same by what is known at this moment: fetches no key and asks nobody. A stale `introspect` rejects. */
  verifySync(token: string, options?: CheckOptions): AccessTokenClaims;
  /** Waits until keys and the first revocations are there. False where that takes longer than `timeoutMs` (10000). */
  ready(timeoutMs?: number): Promise<boolean>;
  stats(): VerifierStats;
  /** Ends the feed and all timers. Neither keeps a process alive. */
  close(): void;
}

const DEFAULT_STALE_AFTER_SECONDS = 15;
const DEFAULT_MAX_TOKEN_AGE_SECONDS = 86_400;
const DEFAULT_READY_MS = 10_000;
const JWKS_COOLDOWN_MS = 2000;
const JWKS_MAX_AGE_MS = 300_000;

/** @throws VerifierConfigError */
export function createVerifier(options: VerifierOptions): Verifier {
  return new TokenVerifier(options);
}

class TokenVerifier implements Verifier {
  private readonly now: () => number;
  private readonly keys: KeySet;
  private readonly remote: RemoteKeys | null;
  private readonly finder: KeyFinder;
  private readonly checker: TokenChecker;
  private readonly cache: TokenCache | null;
  private readonly state: RevocationState | null;
  private readonly source: RevocationSource | null;
  private readonly onStale: OnStale;

  constructor(options: VerifierOptions) {
    const { issuer, audience, jwksUri, revocations } = options;
    if (!issuer || audience.length === 0) throw new VerifierConfigError('issuer and audience are needed');
    if (!options.keys?.length && jwksUri === undefined) throw new VerifierConfigError('keys or jwksUri are needed');
    this.now = options.now ?? Date.now;
    this.onStale = options.onStale ?? 'accept';
    this.keys = new KeySet((options.keys ?? []).map(importKey));
    const fetch = options.fetch ?? globalThis.fetch;
    this.remote =
      jwksUri === undefined
        ? null
        : new RemoteKeys({ jwksUri, cooldownMs: JWKS_COOLDOWN_MS, maxAgeMs: JWKS_MAX_AGE_MS, fetch });
    this.finder = { find: (kid) => this.keys.find(kid) ?? this.remote?.find(kid) };
    this.checker = new TokenChecker({
      keys: this.finder,
      issuer,
      audiences: typeof audience === 'string' ? [audience] : audience,
      maxAgeSeconds: options.maxTokenAgeSeconds ?? DEFAULT_MAX_TOKEN_AGE_SECONDS,
      clockToleranceSeconds: options.clockToleranceSeconds,
    });
    this.cache = options.cache ? new TokenCache(options.cache.max) : null;
    const staleAfterMs = (options.staleAfterSeconds ?? DEFAULT_STALE_AFTER_SECONDS) * 1000;
    this.state = revocations ? new RevocationState(this.now, staleAfterMs) : null;
    this.source = revocations ? sourceOf(revocations, staleAfterMs, fetch) : null;
    if (this.onStale === 'introspect' && this.source && !this.source.introspect)
      throw new VerifierConfigError('onStale introspect needs a source that can');
    this.remote?.start();
    if (this.state) this.source?.start(this.state);
  }

  async verify(token: string, options?: CheckOptions): Promise<AccessTokenClaims> {
    let checked: CheckedToken;
    try {
      checked = this.check(token, options);
    } catch (error) {
      if (!this.remote || !(error instanceof TokenInvalid) || error.reason !== 'kid') throw error;
      await this.remote.refresh(kidOf(token)); // a key may be new: it is published before it signs
      if (!this.remote.isLoaded && this.keys.size === 0) throw new VerifierStale('no keys');
      checked = this.check(token, options);
    }
    if (this.isStale() && this.onStale === 'introspect') await this.introspect(token);
    else this.refuseStale();
    return checked.claims;
  }

  verifySync(token: string, options?: CheckOptions): AccessTokenClaims {
    const { claims } = this.check(token, options);
    this.refuseStale();
    return claims;
  }

  async ready(timeoutMs = DEFAULT_READY_MS): Promise<boolean> {
    const all = Promise.all([this.remote?.whenLoaded(), this.state?.whenSynced()]).then(() => true);
    const over = new AbortController();
    const tooLong = sleep(timeoutMs, false, { signal: over.signal }).catch(() => false);
    return Promise.race([all, tooLong]).finally(() => over.abort());
  }

  stats(): VerifierStats {
    const { state, source, cache } = this;
    return {
      entries: state?.size ?? 0,
      lastEventAt: state?.lastEventAt ?? null,
      lagMs: state?.lagMs() ?? null,
      stale: this.isStale(),
      feed: source?.stats?.() ?? null,
      ignoredEntries: (state?.outcomes.unknown ?? 0) + (state?.outcomes.malformed ?? 0),
      keys: this.keys.size + (this.remote?.size ?? 0),
      cacheHits: cache?.hits ?? 0,
      cacheMisses: cache?.misses ?? 0,
    };
  }

  close(): void {
    this.source?.close();
    this.remote?.close();
  }

  /** Signature and claims, once for a token that is remembered; its key, its time and what was revoked each time. */
  private check(token: string, options?: CheckOptions): CheckedToken {
    const nowSeconds = Math.floor(this.now() / 1000);
    let checked = this.cache?.get(token);
    // A key that was withdrawn, or is another one by now, is not believed from memory either.
    if (checked && this.finder.find(checked.key.kid) !== checked.key) {
      this.cache!.delete(token);
      checked = undefined;
    }
    if (checked) this.checker.checkUse(checked.claims, nowSeconds, options);
    else {
      checked = this.checker.check(token, nowSeconds, options);
      this.cache?.add(token, checked);
    }
    const kind = this.state?.match(checked.claims, checked.key.kid);
    if (kind) throw new TokenRevoked(kind);
    return checked;
  }

  private isStale(): boolean {
    return this.state?.isStale() ?? false;
  }

  private refuseStale(): void {
    if (this.onStale !== 'accept' && this.isStale()) throw new VerifierStale('feed');
  }

  private async introspect(token: string): Promise<void> {
    let active: boolean;
    try {
      active = await this.source!.introspect!(token);
    } catch {
      throw new VerifierStale('introspection');
    }
    if (!active) throw new TokenRevoked('introspection');
  }
}

const sourceOf = (given: FeedSettings | RevocationSource, silenceMs: number, fetch: Fetch): RevocationSource =>
  'start' in given ? given : new RevocationFeed(given, { silenceMs }, fetch);

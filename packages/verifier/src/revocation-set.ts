import type { AccessTokenClaims } from './claims.js';
import { SubjectFilter } from './subject-filter.js';

/** What a revocation names: one token, a session, a user or client up to a time, or a key. */
export type RevocationKind = 'token' | 'session' | 'user' | 'client' | 'key';

/** One revocation, as the feed of Latchkey writes it. */
export interface RevocationEntry {
  readonly id?: string;
  /** One of {@link RevocationKind}; later versions may know more. */
  readonly kind: string;
  /** By kind: `jti`, `sid`, `sub`, `client_id` or `kid`. */
  readonly subject: string;
  /** Of kinds `user` and `client`: refuses tokens with an earlier `iat`; null refuses all. */
  readonly issued_before?: number | null;
  readonly reason?: string | null;
  readonly revoked_at?: string;
  /** RFC 3339. From then on no token that the entry could refuse is alive. */
  readonly expires_at: string;
}

/** What became of an entry: `malformed` lacks what its kind needs, `unknown` is of another kind, `expired` is over. */
export type AddOutcome = 'added' | 'expired' | 'malformed' | 'unknown';

interface Cutoff {
  before: number;
  expiresAt: number;
}

const SWEEP_EVERY_MS = 60_000;

/**
 * What is revoked now. Bounded by time: an entry leaves within a minute of its `expires_at`, as
 * entries are added or {@link sweep} is called. Adding one twice is harmless.
 */
export class RevocationSet {
  private readonly tokens = new Map<string, number>();
  private readonly sessions = new Map<string, number>();
  private readonly keys = new Map<string, number>();
  private readonly users = new Map<string, Cutoff[]>();
  private readonly clients = new Map<string, Cutoff[]>();
  private filter = new SubjectFilter();
  private lastSweep: number;

  /** @param now milliseconds since 1970 */
  constructor(private readonly now: () => number = Date.now) {
    this.lastSweep = now();
  }

  /** Subjects that are named now, some of which may be over. */
  get size(): number {
    return this.tokens.size + this.sessions.size + this.keys.size + this.users.size + this.clients.size;
  }

  add(entry: RevocationEntry): AddOutcome {
    const expiresAt = Date.parse(entry.expires_at);
    const before = entry.issued_before ?? Infinity;
    if (typeof entry.subject !== 'string' || entry.subject === '' || Number.isNaN(expiresAt)) return 'malformed';
    if (typeof before !== 'number' || Number.isNaN(before)) return 'malformed';
    const place = this.placeOf(entry.kind);
    if (!place) return 'unknown';
    if (expiresAt <= this.now()) return 'expired';
    this.sweep();
    if (place.cutoffs) addCutoff(place.cutoffs, entry.subject, { before, expiresAt });
    else place.instants.set(entry.subject, Math.max(expiresAt, place.instants.get(entry.subject) ?? 0));
    if (!this.filter.add(entry.subject)) this.renewFilter();
    return 'added';
  }

  isRevoked(claims: AccessTokenClaims, kid: string): boolean {
    return this.match(claims, kid) !== null;
  }

  /** By what kind of entry a token is refused; null where it is not. */
  match(claims: AccessTokenClaims, kid: string): RevocationKind | null {
    if (!this.mayMatch(claims, kid)) return null;
    if (claims.sid !== undefined && this.holds(this.sessions, claims.sid)) return 'session';
    if (this.holds(this.tokens, claims.jti)) return 'token';
    if (this.cuts(this.users, claims.sub, claims.iat)) return 'user';
    if (this.holds(this.keys, kid)) return 'key';
    if (
      this.clients.size > 0 &&
      claims.client_id !== undefined &&
      this.cuts(this.clients, claims.client_id, claims.iat)
    )
      return 'client';
    return null;
  }

  /** Removes what is over; at most once a minute, since it looks at all. */
  sweep(): void {
    const now = this.now();
    if (now - this.lastSweep < SWEEP_EVERY_MS && now >= this.lastSweep) return;
    this.lastSweep = now;
    for (const map of [this.tokens, this.sessions, this.keys])
      for (const [subject, expiresAt] of map) if (expiresAt <= now) map.delete(subject);
    for (const map of [this.users, this.clients])
      for (const [subject, cutoffs] of map) {
        const alive = cutoffs.filter(({ expiresAt }) => expiresAt > now);
        if (alive.length === 0) map.delete(subject);
        else map.set(subject, alive);
      }
    this.renewFilter();
  }

  /** A good token is told by this alone, nearly always. */
  private mayMatch({ sid, jti, sub, client_id }: AccessTokenClaims, kid: string): boolean {
    const { filter } = this;
    return (
      (sid !== undefined && filter.mayHold(sid)) ||
      filter.mayHold(jti) ||
      filter.mayHold(sub) ||
      filter.mayHold(kid) ||
      (client_id !== undefined && filter.mayHold(client_id))
    );
  }

  private renewFilter(): void {
    this.filter = SubjectFilter.for(this.size);
    for (const map of [this.tokens, this.sessions, this.keys, this.users, this.clients])
      for (const subject of map.keys()) this.filter.add(subject);
  }

  private holds(map: Map<string, number>, subject: string): boolean {
    const expiresAt = map.get(subject);
    return expiresAt !== undefined && expiresAt > this.now();
  }

  private cuts(map: Map<string, Cutoff[]>, subject: string, iat: number): boolean {
    const cutoffs = map.get(subject);
    return cutoffs?.some(({ before, expiresAt }) => iat < before && expiresAt > this.now()) ?? false;
  }

  private placeOf(
    kind: string,
  ): { instants: Map<string, number>; cutoffs?: undefined } | { cutoffs: Map<string, Cutoff[]> } | null {
    switch (kind) {
      case 'token':
        return { instants: this.tokens };
      case 'session':
        return { instants: this.sessions };
      case 'key':
        return { instants: this.keys };
      case 'user':
        return { cutoffs: this.users };
      case 'client':
        return { cutoffs: this.clients };
      default:
        return null;
    }
  }
}

/** Keeps only those that none other covers in both respects: in practice one or two. */
function addCutoff(map: Map<string, Cutoff[]>, subject: string, added: Cutoff): void {
  const covers = (a: Cutoff, b: Cutoff) => a.before >= b.before && a.expiresAt >= b.expiresAt;
  const present = map.get(subject) ?? [];
  if (present.some((cutoff) => covers(cutoff, added))) return;
  map.set(subject, [...present.filter((cutoff) => !covers(added, cutoff)), added]);
}

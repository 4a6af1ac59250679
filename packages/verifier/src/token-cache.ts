import type { CheckedToken } from './token-checker.js';

/** Tokens that have passed. The oldest leave first; what is in it has only shown that it is genuine. */
export class TokenCache {
  private readonly byToken = new Map<string, CheckedToken>();
  hits = 0;
  misses = 0;

  constructor(private readonly max: number) {}

  get size(): number {
    return this.byToken.size;
  }

  get(token: string): CheckedToken | undefined {
    const checked = this.byToken.get(token);
    if (checked) this.hits += 1;
    else this.misses += 1;
    return checked;
  }

  /** Freezes the claims, since many requests are about to share them. */
  add(token: string, checked: CheckedToken): void {
    if (this.byToken.size >= this.max) this.byToken.delete(this.byToken.keys().next().value as string);
    for (const value of Object.values(checked.claims)) deepFreeze(value);
    Object.freeze(checked.claims);
    this.byToken.set(token, checked);
  }

  delete(token: string): void {
    this.byToken.delete(token);
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const member of Object.values(value)) deepFreeze(member);
  Object.freeze(value);
}

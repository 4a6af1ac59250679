import type { KeyFinder } from '#verifier';

import { OVERLOADED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { PublicJwk, RingKey, SigningKey } from './ring-key.js';

/** What a ring holds at one moment. */
export interface RingContents {
  /** All that verify; those that are compromised too, so that their tokens are told from made-up ones. */
  readonly keys: readonly RingKey[];
  /** Which key signs for an audience; under null, for any other. */
  readonly signers: ReadonlyMap<string | null, SigningKey>;
  readonly compromised: ReadonlySet<string>;
}

/** The keys of access tokens, prepared: some sign, all verify. What it holds changes as a whole, at one moment. */
export class KeyRing implements KeyFinder {
  private byKid: ReadonlyMap<string, RingKey> = new Map();
  private signers: RingContents['signers'] = new Map();
  private compromised: ReadonlySet<string> = new Set();
  private published: readonly PublicJwk[] = [];

  put({ keys, signers, compromised }: RingContents): void {
    this.byKid = new Map(keys.map((key) => [key.kid, key]));
    this.signers = signers;
    this.compromised = compromised;
    this.published = keys.flatMap((key) => (compromised.has(key.kid) ? [] : (key.publicJwk ?? [])));
  }

  find(kid: string): RingKey | undefined {
    return this.byKid.get(kid);
  }

  isCompromised(kid: string): boolean {
    return this.compromised.has(kid);
  }

  get canSign(): boolean {
    return this.signers.has(null);
  }

  /** The key that signs what is for `audience`. @throws Problem `overloaded` until there is one */
  signerFor(audience: unknown): SigningKey {
    const own = typeof audience === 'string' ? this.signers.get(audience) : undefined;
    const signer = own ?? this.signers.get(null);
    if (!signer) throw new Problem(OVERLOADED, { retryAfterSeconds: 1 });
    return signer;
  }

  /** RFC 7517: public keys alone. With shared keys only, none. */
  publicJwks(): { keys: readonly PublicJwk[] } {
    return { keys: this.published };
  }
}

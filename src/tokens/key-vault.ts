import { Injectable } from '@nestjs/common';

import type { Jwk } from '#verifier';

import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { type Sealed, Sealer } from '../common/crypto/sealer.js';
import { importRingKey, type RingKey } from './ring-key.js';
import type { StoredKey } from './signing-key.entity.js';

/** What of a row its seal vouches for. */
type Labelled = Pick<StoredKey, 'kid' | 'algorithm' | 'audience'>;

/**
 * Seals the keys of the database and opens them. Nothing of a row is believed that its seal does not cover: whoever can
 * write the table can put no key of their own into the ring.
 */
@Injectable()
export class KeyVault {
  private readonly sealer: Sealer;

  constructor(keys: DerivedKeys) {
    this.sealer = new Sealer(keys.allOf('signing-key'));
  }

  /** Of the key that seals. */
  get keyId(): string {
    return this.sealer.keyId;
  }

  /** @param jwk A private or a shared key. */
  seal(jwk: Jwk, row: Labelled): Sealed {
    return this.sealer.seal(Buffer.from(JSON.stringify(jwk)), ownerOf(row));
  }

  /** The key as it was sealed; null where it is destroyed, or `MASTER_SECRET` is another one. */
  open({ keyId, sealed, ...row }: StoredKey): Jwk | null {
    if (keyId === null || sealed === null) return null;
    const opened = this.sealer.open({ keyId, bytes: sealed }, ownerOf(row));
    return opened && (JSON.parse(opened.toString()) as Jwk);
  }

  /** As {@link open}, prepared to sign and to verify. */
  prepare(row: StoredKey): RingKey | null {
    const jwk = this.open(row);
    return jwk && importRingKey({ ...jwk, kid: row.kid }, row.audience);
  }
}

const ownerOf = ({ kid, algorithm, audience }: Labelled): string => JSON.stringify([kid, algorithm, audience]);

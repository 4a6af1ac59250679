import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { Algorithm, Jwk } from '#verifier';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import type { RequestSource } from '../common/request-source.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { Revoker } from '../revocations/revoker.js';
import { JWKS_MAX_AGE_SECONDS } from '../tokens/access-token.js';
import { ConfiguredKeys } from '../tokens/configured-keys.js';
import { KeyRingKeeper } from '../tokens/key-ring-keeper.js';
import { KeyVault } from '../tokens/key-vault.js';
import type { OpenedKey } from '../tokens/ring-composition.js';
import type { StoredKey } from '../tokens/signing-key.entity.js';
import { SigningKeysRepository } from '../tokens/signing-keys.repository.js';
import { KeyRefused } from './key-refused.js';
import { type KeyStatus, statusesOf } from './key-status.js';
import { LastStart } from './last-start.js';
import { newKey } from './new-key.js';

/** A cache may keep the JWKS for its whole age, and a verifier that asked the cache for as long again. */
export const PUBLISH_SECONDS = 2 * JWKS_MAX_AGE_SECONDS;
/** So much later than the others may a replica hear that a key signs no more. */
const LATE_SECONDS = 60;

/** What a change left behind: the key, and all as they are then. */
export interface KeyChange {
  readonly key: KeyStatus;
  readonly all: readonly KeyStatus[];
}

type ActivationReason = 'by_operator' | 'first_start' | 'key_compromised';

/** What is done with signing keys (NIST SP 800-57, part 1, section 7). One change at a time; replicas hear of each. */
@Injectable()
export class KeysService {
  constructor(
    private readonly database: Database,
    private readonly repository: SigningKeysRepository,
    private readonly vault: KeyVault,
    private readonly configured: ConfiguredKeys,
    private readonly revoker: Revoker,
    private readonly audit: AuditLog,
    private readonly lastStart: LastStart,
    private readonly keeper: KeyRingKeeper,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async list(): Promise<KeyStatus[]> {
    return this.statuses(await this.repository.list());
  }

  /** Makes a key and publishes it. */
  generate(algorithm: Algorithm, audience: string | null, source: RequestSource): Promise<KeyChange> {
    return this.changeProved((tx) => this.make(tx, algorithm, audience, source));
  }

  /** Lets a key sign. Where it does already, nothing happens. @throws KeyRefused before verifiers can know it, unless `atOnce` */
  activate(kid: string, atOnce: boolean, source: RequestSource): Promise<KeyChange> {
    return this.changeProved(async (tx, keys) => {
      const key = find(keys, kid);
      if (key.source !== 'database')
        throw new KeyRefused(
          `${kid} is a key of ${key.source}: it signs, if JWT_ALG chooses it, while no key of the database is active`,
        );
      if (key.state === 'signing') return kid;
      if (key.state !== 'published' && key.state !== 'active')
        throw new KeyRefused(`${kid} is ${key.state}: make another one by latchkey keys generate`);
      const readyAt = new Date(key.createdAt!.getTime() + PUBLISH_SECONDS * 1000);
      if (key.state === 'published' && readyAt > this.clock.now() && !atOnce)
        throw new KeyRefused(
          `verifiers may not know ${kid} before ${readyAt.toISOString()}: activate it then, or with --now`,
        );
      await this.letSign(tx, kid, 'by_operator', source);
      return kid;
    });
  }

  /** Lets a key sign no more. It verifies until its last token has ended. @throws KeyRefused for the last one that can sign */
  retire(kid: string, source: RequestSource): Promise<KeyChange> {
    return this.changeProved(async (tx, keys) => {
      const key = find(keys, kid);
      if (key.source !== 'database') throw new KeyRefused(`${kid} is a key of ${key.source}: take it out there`);
      if (key.retiredAt) throw new KeyRefused(`${kid} is ${key.state} already`);
      await this.end(tx, key, source);
      const signed = key.state === 'signing' || (key.state === 'unreadable' && key.activeFrom !== null);
      if (signed && key.audience === null && !(await this.signer(tx, null)))
        throw new KeyRefused(`${kid} is the last key that can sign: generate and activate another one first`);
      return kid;
    });
  }

  /**
   * Retires a key whose `MASTER_SECRET` is lost, so that a start with another one goes on, and makes a key where none is left.
   * Nothing is sealed. @throws KeyRefused for a key that opens
   */
  forget(kid: string, source: RequestSource): Promise<KeyChange> {
    return this.change(async (tx, keys) => {
      const key = find(keys, kid);
      if (key.state !== 'unreadable' || key.retiredAt)
        throw new KeyRefused(`${kid} is ${key.state}: no secret is lost`);
      await this.end(tx, key, source);
      return kid;
    });
  }

  /**
   * From now on whatever the key signed is refused, here and at all that follow the feed. Where it was the one that signs,
   * another one does: one that was active before, else one that is published, else a new one.
   * Of a key of the settings, also one that was taken out already, a row keeps that it is compromised.
   */
  compromise(kid: string, source: RequestSource): Promise<KeyChange> {
    return this.changeProved(async (tx, keys) => {
      const key = keys.find((one) => one.kid === kid);
      if (key?.state === 'compromised') throw new KeyRefused(`${kid} is compromised already`);
      if (!key && !isKid(kid)) throw new KeyRefused('this is no kid');
      if (!key?.createdAt) await this.repository.save(tx, this.blank(key ?? { kid, algorithm: null, audience: null }));
      await this.close(tx, kid, await this.longestSeconds(tx), { compromisedAt: this.clock.now() });
      await this.revoker.revoke(tx, { key: kid }, { reason: 'key_compromised', actorId: null }, source);
      if (key?.state === 'signing') await this.replace(tx, key, source);
      return kid;
    });
  }

  /** A shared key, for a service that verifies with it. @throws KeyRefused for any other: its public half is in the JWKS */
  export(kid: string, source: RequestSource): Promise<Jwk> {
    return this.database.transaction(async (tx) => {
      const rows = await this.repository.lock(tx);
      const key = find(this.statuses(rows), kid);
      if (key.algorithm !== null && !key.algorithm.startsWith('HS'))
        throw new KeyRefused(
          `${kid} is a key pair: its public half is in /.well-known/jwks.json, and the other one stays`,
        );
      const row = rows.find((one) => one.kid === kid);
      const jwk = row && this.vault.open(row);
      if (!jwk) throw new KeyRefused(`${kid} is ${key.source === 'database' ? key.state : `in ${key.source}`}`);
      await this.audit.record(tx, { type: 'key.exported', details: { kid } }, source);
      return { ...jwk, kid };
    });
  }

  /** At a start: its settings count from now on, and seal what others sealed. Without any key that can sign, makes one of `JWT_ALG`; of several replicas, one does. */
  async ensureSigningKey(source: RequestSource): Promise<void> {
    await this.database.transaction(async (tx) => {
      await this.repository.lock(tx);
      await this.lastStart.record(tx);
      await this.keeper.sealAnew(tx);
      if (await this.signer(tx, null)) return;
      const { algorithm } = this.config.tokens;
      const waiting = await this.waiting(tx, null);
      await this.letSign(tx, waiting ?? (await this.make(tx, algorithm, null, source)), 'first_start', source);
    });
  }

  /** As {@link change}. @throws KeyRefused where `MASTER_SECRET` is not the service's, as in a shell without its settings */
  private changeProved(work: (tx: EntityManager, keys: KeyStatus[]) => Promise<string>): Promise<KeyChange> {
    return this.change(async (tx, keys) => {
      await this.lastStart.assertSameSecret(tx, keys);
      return work(tx, keys);
    });
  }

  private async change(work: (tx: EntityManager, keys: KeyStatus[]) => Promise<string>): Promise<KeyChange> {
    return this.database.transaction(async (tx) => {
      const kid = await work(tx, this.statuses(await this.repository.lock(tx)));
      const all = this.statuses(await this.repository.list(tx));
      return { key: find(all, kid), all };
    });
  }

  private async make(tx: EntityManager, algorithm: Algorithm, audience: string | null, source: RequestSource) {
    const { kid, jwk } = newKey(algorithm);
    const { keyId, bytes } = this.vault.seal(jwk, { kid, algorithm, audience });
    await this.repository.save(tx, { ...this.blank({ kid, algorithm, audience }), keyId, sealed: bytes });
    await this.audit.record(tx, { type: 'key.generated', details: { kid, algorithm, audience } }, source);
    return kid;
  }

  private async letSign(tx: EntityManager, kid: string, reason: ActivationReason, source: RequestSource) {
    const rows = await this.repository.list(tx);
    const row = await this.row(tx, kid);
    const before = (await this.signer(tx, row.audience))?.kid ?? null;
    // After all others, also where this clock is behind theirs.
    const latest = Math.max(...rows.map(({ activeFrom }) => Number(activeFrom)));
    const activeFrom = new Date(Math.max(this.clock.now().getTime(), latest + 1));
    await this.repository.save(tx, { ...row, activeFrom });
    await this.audit.record(tx, { type: 'key.activated', details: { kid, before, reason } }, source);
  }

  /** Somebody else's turn: `lost` signed until now, and is compromised. */
  private async replace(tx: EntityManager, lost: KeyStatus, source: RequestSource): Promise<void> {
    const { algorithm, audience } = lost;
    const next = await this.signer(tx, audience);
    // One of the settings with another algorithm is not what verifiers expect.
    if (next && (next.source === 'database' || next.algorithm === algorithm)) return;
    const waiting = await this.waiting(tx, audience);
    await this.letSign(tx, waiting ?? (await this.make(tx, algorithm!, audience, source)), 'key_compromised', source);
  }

  private async end(tx: EntityManager, { kid, activeFrom }: KeyStatus, source: RequestSource): Promise<void> {
    await this.close(tx, kid, activeFrom === null ? 0 : await this.longestSeconds(tx));
    const verifiesUntil = (await this.row(tx, kid)).verifiesUntil!.toISOString();
    await this.audit.record(tx, { type: 'key.retired', details: { kid, verifies_until: verifiesUntil } }, source);
  }

  private async close(tx: EntityManager, kid: string, seconds: number, also: Partial<StoredKey> = {}): Promise<void> {
    const row = await this.row(tx, kid);
    const now = this.clock.now();
    const end = { retiredAt: now, verifiesUntil: new Date(now.getTime() + seconds * 1000) };
    await this.repository.save(tx, { ...row, ...(row.retiredAt === null && end), ...also });
  }

  /** The key that signs for `audience`, and for it alone unless that is null. */
  private async signer(tx: EntityManager, audience: string | null): Promise<KeyStatus | undefined> {
    const all = this.statuses(await this.repository.list(tx));
    return all.find((key) => key.state === 'signing' && key.audience === audience);
  }

  /** The newest key that was published for `audience`, and never signed. */
  private async waiting(tx: EntityManager, audience: string | null): Promise<string | undefined> {
    const all = this.statuses(await this.repository.list(tx));
    return all.findLast((key) => key.state === 'published' && key.audience === audience)?.kid;
  }

  private async row(tx: EntityManager, kid: string): Promise<StoredKey> {
    return (await this.repository.list(tx)).find((row) => row.kid === kid)!;
  }

  private statuses(rows: StoredKey[]): KeyStatus[] {
    const opened = rows.map((row): OpenedKey => ({ row, key: this.vault.prepare(row) }));
    return statusesOf(this.configured, opened, this.clock.now());
  }

  private blank({ kid, algorithm, audience }: Pick<StoredKey, 'kid' | 'algorithm' | 'audience'>): StoredKey {
    const unsealed = { keyId: null, sealed: null };
    const times = { createdAt: this.clock.now(), activeFrom: null, retiredAt: null, verifiesUntil: null };
    return { kid, algorithm, audience, ...unsealed, ...times, compromisedAt: null };
  }

  private async longestSeconds(tx: EntityManager): Promise<number> {
    return (await this.lastStart.accessTokenSeconds(tx)) + LATE_SECONDS;
  }
}

/** What the header of a token may name (RFC 7515, section 4.1.4), within our bounds. */
const isKid = (text: string): boolean => /^[\x21-\x7e]{1,256}$/.test(text);

function find(keys: readonly KeyStatus[], kid: string): KeyStatus {
  const key = keys.find((one) => one.kid === kid);
  if (!key) throw new KeyRefused(`there is no key ${kid}: latchkey keys list shows all`);
  return key;
}

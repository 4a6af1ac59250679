import { Injectable } from '@nestjs/common';
import { type EntityManager, In, IsNull, LessThan, MoreThan } from 'typeorm';

import { Database, type Statement, uniqueViolation } from '../database/database.js';
import { Client } from './client.entity.js';
import type { ClientJwks } from './client-jwks.js';
import { ClientSecret } from './client-secret.entity.js';

const GRANTS = `c.id, c.scopes, c.audiences, c.served_audiences,
  coalesce(extract(epoch from c.tokens_valid_from), 0)::float8 as tokens_valid_from`;

/** By the hash of a secret that has 256 random bits: nobody can come near one by its time. */
const AUTHENTICATE: Statement = {
  name: 'client-authenticate',
  text: `
  select ${GRANTS} from clients c join client_secrets s on s.client_id = c.id
   where c.id = $1 and c.disabled_at is null and s.secret_hash = $2 and (s.expires_at is null or s.expires_at > $3)`,
};

const FIND_WITH_KEYS: Statement = {
  name: 'client-with-keys',
  text: `select ${GRANTS}, c.jwks from clients c where c.id = $1 and c.disabled_at is null and c.jwks is not null`,
};

/** In the database rather than by the feed: what was acknowledged holds at every replica at once. */
const COUNTS: Statement = {
  name: 'client-token-counts',
  text: `
  select 1 as counts from clients c
   where c.id = $1 and c.disabled_at is null
     and (c.tokens_valid_from is null or to_timestamp($2) >= c.tokens_valid_from)
     and not exists (select from revocations r where r.subject = $3 and r.kind = 'token')`,
};

/** What a service may do that has proved who it is. */
export type ClientGrants = {
  id: string;
  scopes: string[];
  audiences: string[];
  served_audiences: string[] | null;
  /** NumericDate: the earliest `iat` that counts. */
  tokens_valid_from: number;
};

/** What an administrator decides of a client. */
export type ClientSettings = Pick<Client, 'scopes' | 'audiences' | 'servedAudiences' | 'jwks'>;

/** The tables `clients` and `client_secrets`. */
@Injectable()
export class ClientsRepository {
  constructor(private readonly database: Database) {}

  async authenticate(id: string, secretHash: Buffer, now: Date): Promise<ClientGrants | null> {
    return (await this.database.run<ClientGrants>(AUTHENTICATE, [id, secretHash, now]))[0] ?? null;
  }

  /** A client that has keys of its own, and may authenticate. */
  async findWithKeys(id: string): Promise<(ClientGrants & { jwks: ClientJwks }) | null> {
    return (await this.database.run<ClientGrants & { jwks: ClientJwks }>(FIND_WITH_KEYS, [id]))[0] ?? null;
  }

  /** Whether a client's token, known by its `jti` and `iat` (NumericDate), was not taken back since. */
  async counts(clientId: string, jti: string, iat: number): Promise<boolean> {
    return (await this.database.run<{ counts: number }>(COUNTS, [clientId, iat, jti])).length === 1;
  }

  /** Newest first, from before the client `before` on. */
  list(limit: number, before: string | null): Promise<Client[]> {
    const where = before === null ? {} : { id: LessThan(before) };
    return this.database.manager.find(Client, { where, order: { id: 'DESC' }, take: limit });
  }

  findById(id: string): Promise<Client | null> {
    return this.database.manager.findOneBy(Client, { id });
  }

  findByName(name: string): Promise<Client | null> {
    return this.database.manager.findOneBy(Client, { name });
  }

  /** Those that are good at `now`, newest first. */
  listSecrets(clientIds: readonly string[], now: Date): Promise<ClientSecret[]> {
    const ofThese = { clientId: In([...clientIds]) };
    const where = [
      { ...ofThese, expiresAt: MoreThan(now) },
      { ...ofThese, expiresAt: IsNull() },
    ];
    return this.database.manager.find(ClientSecret, { where, order: { id: 'DESC' } });
  }

  /** Held for a change until `tx` is over. */
  lock(tx: EntityManager, id: string): Promise<Client | null> {
    return tx.findOne(Client, { where: { id }, lock: { mode: 'for_no_key_update' } });
  }

  /** Adds a client; false where another one has the name. */
  async insert(tx: EntityManager, client: Client): Promise<boolean> {
    try {
      await tx.insert(Client, client);
      return true;
    } catch (error) {
      if (uniqueViolation(error) !== null) return false;
      throw error;
    }
  }

  async change(tx: EntityManager, id: string, settings: Partial<ClientSettings>): Promise<void> {
    await tx.update(Client, { id }, settings);
  }

  async addSecret(tx: EntityManager, secret: ClientSecret): Promise<void> {
    await tx.insert(ClientSecret, secret);
  }

  /**
   * Ends the newest of a client's secrets at `endsAt`, if not sooner, and all others now. Returns when the newest ends; null
   * where it did, or there is none.
   */
  async endSecrets(tx: EntityManager, clientId: string, endsAt: Date, now: Date): Promise<Date | null> {
    const [newest, ...others] = await tx.find(ClientSecret, { where: { clientId }, order: { id: 'DESC' } });
    if (!newest) return null;
    const end = newest.expiresAt !== null && newest.expiresAt < endsAt ? newest.expiresAt : endsAt;
    const over = end > now ? others : [newest, ...others];
    if (over.length > 0) await tx.delete(ClientSecret, { id: In(over.map(({ id }) => id)) });
    if (end <= now) return null;
    await tx.update(ClientSecret, { id: newest.id }, { expiresAt: end });
    return end;
  }
}

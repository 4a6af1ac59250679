import { Injectable } from '@nestjs/common';
import { type EntityManager, LessThan } from 'typeorm';

import { Database, type Statement, uniqueViolation } from '../database/database.js';
import { Client } from './client.entity.js';
import { ClientSecret } from './client-secret.entity.js';

/** By the hash of a secret that has 256 random bits: nobody can come near one by its time. */
const AUTHENTICATE: Statement = {
  name: 'client-authenticate',
  text: `
  select c.id, c.name from clients c join client_secrets s on s.client_id = c.id
   where c.id = $1 and c.disabled_at is null and s.secret_hash = $2 and (s.expires_at is null or s.expires_at > $3)`,
};

/** A service that has proved who it is. */
export type AuthenticClient = {
  id: string;
  name: string;
};

/** The tables `clients` and `client_secrets`. */
@Injectable()
export class ClientsRepository {
  constructor(private readonly database: Database) {}

  async authenticate(id: string, secretHash: Buffer, now: Date): Promise<AuthenticClient | null> {
    return (await this.database.run<AuthenticClient>(AUTHENTICATE, [id, secretHash, now]))[0] ?? null;
  }

  /** Newest first, from before the client `before` on. */
  list(limit: number, before: string | null): Promise<Client[]> {
    const where = before === null ? {} : { id: LessThan(before) };
    return this.database.manager.find(Client, { where, order: { id: 'DESC' }, take: limit });
  }

  /** Adds a client with its first secret; false where another one has the name. */
  async insert(tx: EntityManager, client: Client, secret: ClientSecret): Promise<boolean> {
    try {
      await tx.insert(Client, client);
    } catch (error) {
      if (uniqueViolation(error) !== null) return false;
      throw error;
    }
    await tx.insert(ClientSecret, secret);
    return true;
  }
}

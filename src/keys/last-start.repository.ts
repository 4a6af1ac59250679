import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** What the service started with, as far as commands have to know. */
export interface Start {
  /** Names `MASTER_SECRET` without showing it. */
  readonly masterSecretId: string;
  readonly accessTokenSeconds: number;
}

const READ = `
  select master_secret_id as "masterSecretId", access_token_seconds as "accessTokenSeconds" from last_start`;

const WRITE = `
  insert into last_start (master_secret_id, access_token_seconds) values ($1, $2)
  on conflict (id) do update set master_secret_id = excluded.master_secret_id, access_token_seconds = excluded.access_token_seconds`;

/** The table `last_start`. */
@Injectable()
export class LastStartRepository {
  /** Null before the first one. */
  async read(tx: EntityManager): Promise<Start | null> {
    const [start] = await tx.query<Start[]>(READ);
    return start ?? null;
  }

  async write(tx: EntityManager, { masterSecretId, accessTokenSeconds }: Start): Promise<void> {
    await tx.query(WRITE, [masterSecretId, accessTokenSeconds]);
  }
}

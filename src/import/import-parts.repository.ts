import type { EntityManager } from 'typeorm';

import type { Parts } from './formats/import-format.js';
import type { JsonObject } from './reading/file-record.js';
import type { RepeatedOwner } from './stored-rows.js';

/** Tables of one connection alone: what belongs to accounts, and the ids of the accounts themselves. */
export const PREPARE_PARTS = `
  create temporary table import_parts (section text not null, owner text not null, line integer not null, body text not null);
  create index on import_parts (owner);
  create temporary table import_owners (owner text primary key, at integer not null unique, line integer not null)`;
export const PARTS_TABLES = 'pg_temp.import_parts, pg_temp.import_owners';

/** More is no account's: it would fill the memory with one row. */
const MAX_PARTS_OF_OWNER = 100;
const MAX_BYTES_OF_OWNER = 256 * 1024;

const NOTE_OWNERS = `
  insert into import_owners (owner, at, line) select * from unnest($1::text[], $2::int[], $3::int[]) as g (owner, at, line) order by at
  on conflict do nothing returning at`;

/** A record of an account that parts may name by `owner`. */
export interface OwnerOfRow {
  readonly at: number;
  readonly line: number;
  readonly owner: string;
}

/** What belongs to an account and stands in an array of its own. */
export interface AccountPart {
  readonly owner: string;
  readonly line: number;
  /** As JSON. */
  readonly body: string;
}

/** The parts of one import, on its connection. */
export class ImportParts {
  constructor(private readonly connection: EntityManager) {}

  async add(section: string, parts: readonly AccountPart[]): Promise<void> {
    await this.connection.query(
      'insert into import_parts select $1, * from unnest($2::text[], $3::int[], $4::text[])',
      [section, parts.map(({ owner }) => owner), parts.map(({ line }) => line), parts.map(({ body }) => body)],
    );
  }

  /** The line of the first part of an owner that has more of them than any account may have, or null. */
  async findCrowded(): Promise<number | null> {
    const [row] = await this.connection.query<{ line: number | null }[]>(
      `select min(line) as line from import_parts where owner = (
         select owner from import_parts group by owner having count(*) > $1 or sum(length(body)) > $2 limit 1)`,
      [MAX_PARTS_OF_OWNER, MAX_BYTES_OF_OWNER],
    );
    return row.line;
  }

  /** What belongs to each of the owners. */
  async list(owners: readonly string[]): Promise<Map<string, Parts>> {
    const rows = await this.connection.query<{ owner: string; section: string; bodies: string[] }[]>(
      'select owner, section, array_agg(body) as bodies from import_parts where owner = any($1) group by owner, section',
      [owners],
    );
    const parts = new Map<string, Parts>();
    for (const { owner, section, bodies } of rows) {
      parts.set(owner, { ...parts.get(owner), [section]: bodies.map((body) => JSON.parse(body) as JsonObject) });
    }
    return parts;
  }

  /** Notes the ids of accounts, in their order. Those that an earlier record has are returned, with its line. */
  async noteOwners(rows: readonly OwnerOfRow[]): Promise<RepeatedOwner[]> {
    if (rows.length === 0) return [];
    const noted = await this.connection.query<{ at: number }[]>(NOTE_OWNERS, [
      rows.map(({ owner }) => owner),
      rows.map(({ at }) => at),
      rows.map(({ line }) => line),
    ]);
    if (noted.length === rows.length) return [];
    const fresh = new Set(noted.map(({ at }) => at));
    const again = rows.filter(({ at }) => !fresh.has(at));
    return this.connection.query<RepeatedOwner[]>(
      `select g.at, o.line as earlier from unnest($1::text[], $2::int[]) as g (owner, at) join import_owners o using (owner)`,
      [again.map(({ owner }) => owner), again.map(({ at }) => at)],
    );
  }

  /** How many parts name an account that the file does not have. */
  async countOrphans(): Promise<number> {
    const [{ count }] = await this.connection.query<{ count: number }[]>(
      'select count(*)::int from import_parts p where not exists (select from import_owners o where o.owner = p.owner)',
    );
    return count;
  }
}

import type { EntityManager } from 'typeorm';

import { newId } from '../common/ids.js';
import type { RequestSource } from '../common/request-source.js';
import { namesOf, takenField } from './import-check.js';
import type { ImportListener } from './import-report.js';
import type { ImportSession } from './import.repository.js';
import type { ReadRow, RowBatch } from './row-batches.js';
import type { NewAccount, NewSeed } from './stored-rows.js';
import type { ImportTools } from './user-importer.js';

const SEED_NAME = 'Authenticator app';

export interface WriterSettings {
  /** For accounts without a password. */
  readonly unusableHash: string;
  readonly skipBad: boolean;
  readonly source: RequestSource;
  readonly listener: ImportListener;
}

/** Writes batches, each in a transaction that also moves the import on. */
export class ImportWriter {
  constructor(
    private readonly tools: ImportTools,
    private readonly session: ImportSession,
    private readonly importId: string,
    private readonly settings: WriterSettings,
  ) {}

  /**
   * @param hasBad Whether the check found bad rows: those of this batch are left out.
   * @throws Error where a name was taken or a role went since the check; nothing of this batch is written then
   */
  async write(batch: RowBatch, hasBad: boolean, hasOwnIds: boolean): Promise<void> {
    const noted = hasBad ? await this.session.listNoted(batch.rows.map(({ at }) => at)) : null;
    const rows = batch.rows.filter(({ at }) => !noted || noted.has(at));
    const accounts = rows.map((read) => this.toAccount(read));
    const seeds = rows.flatMap((read) => this.toSeeds(read));
    await this.session.transaction(async (tx) => {
      await this.holdRoles(tx, rows);
      const context = { importId: this.importId, now: this.tools.clock.now(), source: this.settings.source };
      const made = await this.session.insert(tx, accounts, seeds, context);
      const late = rows.filter(({ row }) => !made.has(row.id));
      if (late.length > 0) await this.refuse(late, hasOwnIds);
      const refused = batch.bad.length + (batch.rows.length - rows.length) + late.length;
      await this.session.moveOn(tx, this.importId, batch.until, made.size, refused);
    });
  }

  /** Somebody was faster between the check and now. */
  private async refuse(late: readonly ReadRow[], hasOwnIds: boolean): Promise<void> {
    const taken = await this.session.findTaken(late.map(({ at, row }) => namesOf(at, row, hasOwnIds)));
    const fields = new Map(taken.map((found) => [found.at, takenField(found)]));
    for (const { at, row } of late)
      this.settings.listener.onBadRow({
        line: row.line,
        field: fields.get(at) ?? 'username',
        reason: 'was taken meanwhile',
      });
    if (!this.settings.skipBad)
      throw new Error('names were taken since the check: start again with --skip-bad to import the rest');
  }

  private async holdRoles(tx: EntityManager, rows: readonly ReadRow[]): Promise<void> {
    const names = [...new Set(rows.flatMap(({ row }) => row.roles))];
    const held = await this.tools.roles.holdAll(tx, names);
    if (held.length < names.length) throw new Error('a role was deleted since the check: start again');
  }

  private toAccount({ row }: ReadRow): NewAccount {
    return {
      ...row,
      auditId: newId(this.tools.clock.now()),
      emailVerifiedAt: row.emailVerified ? row.createdAt : null,
      passwordHash: row.passwordHash ?? this.settings.unusableHash,
      attributes: JSON.stringify(row.attributes),
    };
  }

  private toSeeds({ row }: ReadRow): NewSeed[] {
    return row.totp.map(({ seed, name }) => ({
      id: newId(this.tools.clock.now()),
      userId: row.id,
      name: name ?? SEED_NAME,
      ...this.tools.cipher.seal(seed, row.id),
    }));
  }
}

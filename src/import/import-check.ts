import type { AccountRow } from './account-row.js';
import type { ImportSession } from './import.repository.js';
import type { BadRow } from './import-report.js';
import type { ReadRow, RowBatch } from './row-batches.js';
import type { NamesOfRow, Repeated, Taken } from './stored-rows.js';

/** What a pass over the whole file found, before anything is written. */
export class ImportCheck {
  rows = 0;
  good = 0;
  bad = 0;
  leftOut = 0;
  withoutPassword = 0;
  readonly leftBehind = new Map<string, number>();
  readonly roles = new Set<string>();

  /**
   * @param doneUntil The number of the last record that an earlier try had done with.
   * @param hasOwnIds Whether ids come from the file, so that somebody may have them.
   */
  constructor(
    private readonly session: ImportSession,
    private readonly doneUntil: number,
    private readonly hasOwnIds: boolean,
    private readonly onBadRow: (row: BadRow) => void,
  ) {}

  async add({ rows: allRows, bad, leftOut, owners, until }: RowBatch): Promise<void> {
    this.rows = until;
    this.leftOut += leftOut;
    const repeatedOwners = await this.session.parts.noteOwners(owners);
    const again = new Map(repeatedOwners.map(({ at, earlier }) => [at, earlier]));
    const rows = allRows.filter(({ at }) => !again.has(at));
    const faults = [...bad];
    for (const { at, row } of allRows) {
      if (again.has(at)) faults.push({ at, line: row.line, ...isThatOf('id', again.get(at)!) });
    }
    const named = rows.map(({ at, row }) => namesOf(at, row, this.hasOwnIds));
    const taken = new Map((await this.session.findTaken(named)).map((found) => [found.at, found]));
    const free = named.filter(({ at, line }) => {
      const fault = this.faultOfTaken(taken.get(at), at);
      if (fault) faults.push({ at, line, ...fault });
      return !fault;
    });
    const repeated = new Map((await this.session.noteNames(free)).map((found) => [found.at, found]));
    for (const { at, line } of free) {
      const found = repeated.get(at);
      if (found) faults.push({ at, line, ...faultOfRepeated(found) });
    }
    const badOnes = new Set(faults.map(({ at }) => at));
    for (const read of rows) if (!badOnes.has(read.at)) this.count(read);
    this.bad += faults.length;
    for (const { line, field, reason } of faults.toSorted((one, other) => one.at - other.at))
      this.onBadRow({ line, field, reason });
  }

  private count({ candidate, row }: ReadRow): void {
    this.good++;
    if (row.passwordHash === null) this.withoutPassword++;
    for (const kind of candidate.leftBehind) {
      const shown = /^[a-z_-]{1,32}$/.test(kind) ? kind : 'other';
      this.leaveBehind(shown, 1);
    }
    for (const role of row.roles) this.roles.add(role);
  }

  /** After the last batch: parts that name an account which never came protect nobody here. */
  async countOrphans(): Promise<void> {
    const orphans = await this.session.parts.countOrphans();
    if (orphans > 0) this.leaveBehind('of_no_account', orphans);
  }

  private leaveBehind(kind: string, count: number): void {
    this.leftBehind.set(kind, (this.leftBehind.get(kind) ?? 0) + count);
  }

  /** What an earlier try had done with is not held against accounts: they are its own, and may have other names by now. */
  private faultOfTaken(taken: Taken | undefined, at: number): Pick<BadRow, 'field' | 'reason'> | null {
    if (!taken || at <= this.doneUntil) return null;
    const field = takenField(taken);
    return {
      field,
      reason: field === 'id' ? 'is taken: an account or a client has it' : 'is taken: an account has it',
    };
  }
}

export const takenField = ({ username, email }: Taken): string => (username ? 'username' : email ? 'email' : 'id');

export const namesOf = (at: number, row: AccountRow, hasOwnIds: boolean): NamesOfRow => ({
  at,
  line: row.line,
  username: row.usernameCanonical,
  email: row.emailCanonical,
  id: hasOwnIds ? row.id : null,
});

function faultOfRepeated({ username, email, id }: Repeated): Pick<BadRow, 'field' | 'reason'> {
  if (username !== null) return isThatOf('username', username);
  return email !== null ? isThatOf('email', email) : isThatOf('id', id!);
}

const isThatOf = (field: string, line: number): Pick<BadRow, 'field' | 'reason'> => ({
  field,
  reason: `is that of line ${line}`,
});

import type { AccountCandidate } from './account-candidate.js';
import { RowFault } from './account-candidate.js';
import { hasParts, ownerOf } from './account-parts.js';
import { type AccountRow, type RowRules, toAccountRow } from './account-row.js';
import type { FormatOptions, Parts } from './formats/import-format.js';
import type { OwnerOfRow } from './import-parts.repository.js';
import type { ImportSession } from './import.repository.js';
import type { BadRow } from './import-report.js';
import type { FileRecord } from './reading/file-record.js';
import type { SourceFile } from './reading/source-file.js';

/** A batch ends with either: large records are not to fill the memory. */
const ROWS_A_BATCH = 1000;
const BYTES_A_BATCH = 4 * 1024 * 1024;

/** A record of the file, numbered from 1, and what came of it. */
export interface ReadRow {
  readonly at: number;
  readonly candidate: AccountCandidate;
  readonly row: AccountRow;
}

export interface RowBatch {
  readonly rows: readonly ReadRow[];
  readonly bad: readonly (BadRow & { at: number })[];
  readonly leftOut: number;
  /** All that parts of the file may name, good or bad; none where it has no parts. */
  readonly owners: readonly OwnerOfRow[];
  /** The number of its last record. */
  readonly until: number;
}

/** Reads the accounts of a file, from behind record `after`, a batch at a time. The same file gives the same records. */
export async function* rowBatches(...from: Parameters<typeof readBatches>): AsyncGenerator<RowBatch> {
  const batches = readBatches(...from);
  // Parts of accounts are asked for on the connection that the last batch is at work on.
  yield* hasParts(from[0]) ? batches : ahead(batches);
}

/** Reads the next one while the last is at work. */
async function* ahead<T>(items: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = items.next();
  try {
    for (let read = await next; !read.done; read = await next) {
      next = items.next();
      next.catch(() => {}); // thrown when it is asked for
      yield read.value;
    }
  } finally {
    await items.return(undefined);
  }
}

async function* readBatches(
  file: SourceFile,
  session: ImportSession,
  rules: RowRules,
  options: FormatOptions,
  after: number,
  onBytes: (read: number) => void,
): AsyncGenerator<RowBatch> {
  const read = async (records: readonly FileRecord[], first: number): Promise<RowBatch> => {
    const owners = hasParts(file) ? ownersOf(records, first) : [];
    const parts = owners.length > 0 ? await session.parts.list(owners.map(({ owner }) => owner)) : noParts;
    const batch = readBatch(
      records,
      first,
      (record) => file.format.read(record.value!, parts.get(ownerOf(record)) ?? {}, options),
      rules,
    );
    return { ...batch, owners };
  };
  let pending: FileRecord[] = [];
  let bytes = 0;
  let done = 0;
  for await (const records of file.accounts(onBytes)) {
    for (const record of records) {
      if (done + pending.length < after) {
        done++;
        continue;
      }
      pending.push(record);
      bytes += record.bytes;
      if (pending.length < ROWS_A_BATCH && bytes < BYTES_A_BATCH) continue;
      yield read(pending, done + 1);
      done += pending.length;
      pending = [];
      bytes = 0;
    }
  }
  if (pending.length > 0) yield read(pending, done + 1);
}

const noParts: ReadonlyMap<string, Parts> = new Map();

const ownersOf = (records: readonly FileRecord[], first: number): OwnerOfRow[] =>
  records
    .map((record, index) => ({ at: first + index, line: record.line, owner: ownerOf(record) }))
    .filter(({ owner }) => owner !== '');

function readBatch(
  records: readonly FileRecord[],
  first: number,
  toCandidate: (record: FileRecord) => AccountCandidate | null,
  rules: RowRules,
): Omit<RowBatch, 'owners'> {
  const rows: ReadRow[] = [];
  const bad: (BadRow & { at: number })[] = [];
  let leftOut = 0;
  for (const [index, record] of records.entries()) {
    const at = first + index;
    if (record.value === null) {
      bad.push({ at, line: record.line, field: null, reason: record.fault! });
      continue;
    }
    try {
      const candidate = toCandidate(record);
      if (candidate) rows.push({ at, candidate, row: toAccountRow(candidate, record.line, rules) });
      else leftOut++;
    } catch (error) {
      if (!(error instanceof RowFault)) throw error;
      bad.push({ at, line: record.line, field: error.field, reason: error.reason });
    }
  }
  return { rows, bad, leftOut, until: first + records.length - 1 };
}

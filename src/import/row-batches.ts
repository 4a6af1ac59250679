import type { AccountCandidate } from './account-candidate.js';
import { RowFault } from './account-candidate.js';
import { type AccountRow, type RowRules, toAccountRow } from './account-row.js';
import type { FormatOptions, Parts } from './formats/import-format.js';
import type { ImportSession } from './import.repository.js';
import type { BadRow } from './import-report.js';
import { FileFault, type FileRecord } from './reading/file-record.js';
import { textOf } from './formats/values.js';
import type { SourceFile } from './reading/source-file.js';

const ROWS_A_BATCH = 1000;

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
  /** The number of its last record. */
  readonly until: number;
}

/** Reads the accounts of a file, from behind record `after`, a batch at a time. The same file gives the same records. */
export async function* rowBatches(...from: Parameters<typeof readBatches>): AsyncGenerator<RowBatch> {
  const batches = readBatches(...from);
  // Parts of accounts are asked for on the connection that the last batch is at work on.
  yield* hasParts(from[0]) ? batches : ahead(batches);
}

const hasParts = ({ shape, format }: SourceFile): boolean =>
  shape === 'object' && Object.keys(format.partSections).length > 0;

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
    const parts = hasParts(file) ? await session.listParts(records.map(ownerOf)) : new Map<string, Parts>();
    return readBatch(
      records,
      first,
      (record) => file.format.read(record.value!, parts.get(ownerOf(record)) ?? {}, options),
      rules,
    );
  };
  let pending: FileRecord[] = [];
  let done = 0;
  for await (const records of file.accounts(onBytes)) {
    for (const record of records) {
      if (done + pending.length < after) {
        done++;
        continue;
      }
      pending.push(record);
      if (pending.length < ROWS_A_BATCH) continue;
      yield read(pending, done + 1);
      done += pending.length;
      pending = [];
    }
  }
  if (pending.length > 0) yield read(pending, done + 1);
}

const ownerOf = ({ value }: FileRecord): string => textOf(value?.id);

function readBatch(
  records: readonly FileRecord[],
  first: number,
  toCandidate: (record: FileRecord) => AccountCandidate | null,
  rules: RowRules,
): RowBatch {
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

/** Keeps what belongs to accounts and stands in arrays of its own where any account's can be asked for. */
export async function keepParts(
  file: SourceFile,
  session: ImportSession,
  onBytes: (read: number) => void,
): Promise<void> {
  for await (const records of file.parts(onBytes)) {
    // It may be what protects an account: none is left out in silence.
    const broken = records.find(({ value }) => value === null);
    if (broken) throw new FileFault(broken.fault!, broken.line);
    for (const section of new Set(records.map((record) => record.section))) {
      const owner = file.format.partSections[section];
      const parts = records
        .filter((record) => record.section === section)
        .map(({ value }) => [textOf(value![owner] ?? value![SNAKE[owner] ?? owner]), value!] as const);
      await session.addParts(section, parts);
    }
  }
}

/** Tables that SQL exports name their columns so. */
const SNAKE: Readonly<Record<string, string>> = { userId: 'user_id' };

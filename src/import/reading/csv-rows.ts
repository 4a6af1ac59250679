import { pipeline, Readable } from 'node:stream';

import { CsvError, type InfoRecord, parse } from 'csv-parse';

import { FileFault, type FileRecord, MAX_RECORD_BYTES } from './file-record.js';

/** As many at once as a chunk of another format holds. */
const ROWS_AT_ONCE = 500;
const BYTES_AT_ONCE = 1024 * 1024;

const FAULTS: Partial<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quoted field that begins here is not closed: the file is cut short, or a quote is missing',
  CSV_MAX_RECORD_SIZE: `a row is longer than ${MAX_RECORD_BYTES} bytes: a quote may be missing`,
};

/** Columns whose fields may be whole by their form though the end of them is missing. */
const SECRETS = ['password_hash', 'encrypted_password', 'totp'];
const MAY_BE_CUT = 'the file ends in this row without a line break: it may be cut short; end the row if it is not';

/** A line break, or the quote that closes a field. */
const ENDS_OF_ROW = [...Buffer.from('\r\n"')];

interface Row {
  readonly fields: string[];
  readonly line: number;
}

/**
 * Rows of CSV (RFC 4180), each as an object. The first row names the columns, unless `columns` does.
 * @param checkHeader Is given the names of the first row. @throws FileFault
 */
export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  columns: readonly string[] | null,
  checkHeader: (names: readonly string[]) => void,
): AsyncGenerator<FileRecord[]> {
  let lastLine = 0;
  const toRow = (fields: string[], { lines }: InfoRecord): Row => {
    const line = lastLine + 1;
    lastLine = lines;
    return { fields, line };
  };
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_BYTES,
    // Called as rows are read, which may be before they are asked for: an error is that of the row after these.
    on_record: toRow as (fields: string[], info: InfoRecord) => never, // its types know records of one kind alone
  });
  let lastByte: number | undefined;
  const watched = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      lastByte = chunk.at(-1) ?? lastByte;
      yield chunk;
    }
  };
  pipeline(Readable.from(watched()), parser, () => {}); // what goes wrong there is thrown below
  let names = columns;
  let rows: FileRecord[] = [];
  let bytes = 0;
  try {
    for await (const { fields, line } of parser as unknown as AsyncIterable<Row>) {
      if (names) rows.push(toRecord(columns ? fitted(fields, names.length) : fields, names, line));
      else checkHeader((names = fields.map((name) => name.trim())));
      bytes += rows.at(-1)?.bytes ?? 0;
      if (rows.length < ROWS_AT_ONCE && bytes < BYTES_AT_ONCE) continue;
      const last = rows.pop()!; // which of them ends the file is known at its end
      yield rows;
      rows = [last];
      bytes = 0;
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new FileFault(FAULTS[error.code] ?? 'is no CSV: a quote stands where none may', lastLine + 1);
  }
  const last = rows.at(-1);
  if (last?.value && SECRETS.includes(names?.at(-1) ?? '') && !ENDS_OF_ROW.includes(lastByte!))
    rows[rows.length - 1] = { ...last, value: null, fault: MAY_BE_CUT };
  yield rows;
}

/** Without a header, versions of one export differ in columns at the end, and in commas behind them. */
function fitted(fields: string[], columns: number): string[] {
  const isPadded = fields.slice(columns).every((field) => field === '');
  return isPadded ? Array.from({ length: columns }, (_, at) => fields[at] ?? '') : fields;
}

/** Empty fields are left out. */
function toRecord(fields: string[], names: readonly string[], line: number): FileRecord {
  const place = { line, section: '', bytes: fields.reduce((sum, field) => sum + field.length, 0) };
  const bad = (fault: string): FileRecord => ({ ...place, value: null, fault });
  if (fields.length !== names.length) return bad(`has ${fields.length} fields where there are ${names.length} columns`);
  // The parser decodes what is no UTF-8 as U+FFFD; in a name of its own, that is as broken.
  if (fields.some((field) => field.includes('\ufffd'))) return bad('is not UTF-8');
  const value: Record<string, string> = {};
  for (const [at, name] of names.entries()) if (fields[at] !== '') value[name] = fields[at];
  return { ...place, value };
}

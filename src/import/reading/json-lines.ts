import { BytesInPieces } from './bytes-in-pieces.js';
import { type FileRecord, readJson, tooLong } from './file-record.js';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Splits JSON Lines (jsonlines.org), one object a line, as the bytes come. Blank lines are passed over. */
export class JsonLines {
  private readonly current = new BytesInPieces();
  private line = 1;

  push(chunk: Buffer): FileRecord[] {
    const records: FileRecord[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.current.add(chunk.subarray(from, at));
      this.finishLine(records);
      this.line++;
      from = at + 1;
    }
    this.current.add(chunk.subarray(from));
    return records;
  }

  end(): FileRecord[] {
    const records: FileRecord[] = [];
    this.finishLine(records);
    return records;
  }

  private finishLine(records: FileRecord[]): void {
    const { line, current } = this;
    if (current.isTooLong) records.push(tooLong(line, ''));
    let bytes = current.isTooLong ? (current.take(), Buffer.alloc(0)) : current.take();
    if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
    if (bytes.length > 0 && !isBlank(bytes)) records.push(readJson(bytes, line, ''));
  }
}

const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0x20 || byte === 0x09);

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { extname } from 'node:path';

import { FORMATS } from '../formats/formats.js';
import type { ImportFormat } from '../formats/import-format.js';
import { readCsv } from './csv-rows.js';
import { FileFault, type FileRecord } from './file-record.js';
import { JsonDocument } from './json-document.js';
import { JsonLines } from './json-lines.js';
import { recogniseFormat, recogniseShape, type Shape } from './recognise.js';

const HEAD_BYTES = 64 * 1024;
const CHUNK_BYTES = 64 * 1024;

/** A file to import, looked at once. It is read anew for each pass. */
export class SourceFile {
  private constructor(
    readonly path: string,
    readonly bytes: number,
    readonly sha256: Buffer,
    readonly shape: Shape,
    readonly format: ImportFormat,
    private readonly modifiedMs: number,
  ) {}

  /**
   * @param formatName Which system it is of; null: it is recognised.
   * @throws FileFault in plain words where it cannot be read, or is of no form that is known
   */
  static async open(file: string, formatName: string | null): Promise<SourceFile> {
    const { size, mtimeMs, head, sha256 } = await lookAt(file);
    if (size === 0) throw new FileFault(`${file} is empty`);
    const shape = recogniseShape(head, extname(file).toLowerCase());
    const format = formatName === null ? recogniseFormat(head, shape) : FORMATS.find(({ name }) => name === formatName);
    if (!format)
      throw new FileFault(`there is no format ${formatName}: there are ${FORMATS.map(({ name }) => name).join(', ')}`);
    if (shape === 'csv' && format.csvColumns === undefined)
      throw new FileFault(`${format.name} exports no CSV: ${file} is none of its`);
    return new SourceFile(file, size, sha256, shape, format, mtimeMs);
  }

  /** Its accounts, in their order. @throws FileFault */
  accounts(onBytes: (read: number) => void): AsyncGenerator<FileRecord[]> {
    return this.records(this.format.accountSections, onBytes);
  }

  /** What belongs to accounts and stands in arrays of its own. @throws FileFault */
  async *parts(onBytes: (read: number) => void): AsyncGenerator<FileRecord[]> {
    const sections = Object.keys(this.format.partSections);
    if (this.shape === 'object' && sections.length > 0) yield* this.records(sections, onBytes);
  }

  /** @throws FileFault where somebody wrote to it since it was opened */
  requireUnchanged(): void {
    const { size, mtimeMs } = fs.statSync(this.path);
    if (size !== this.bytes || mtimeMs !== this.modifiedMs) throw new FileFault(`${this.path} was changed meanwhile`);
  }

  private async *records(sections: readonly string[], onBytes: (read: number) => void): AsyncGenerator<FileRecord[]> {
    const chunks = this.chunks(onBytes);
    if (this.shape === 'csv') {
      yield* readCsv(chunks, this.format.csvColumns ?? null, (names) => {
        const mistake = this.format.checkColumns?.(names);
        if (mistake) throw new FileFault(mistake, 1);
      });
      return;
    }
    const splitter = this.shape === 'lines' ? new JsonLines() : new JsonDocument((name) => sections.includes(name));
    for await (const chunk of chunks) yield splitter.push(chunk);
    yield splitter.end();
  }

  /** Without the byte order mark that some put before UTF-8. */
  private async *chunks(onBytes: (read: number) => void): AsyncGenerator<Buffer> {
    let read = 0;
    for await (const chunk of fs.createReadStream(this.path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
      yield read === 0 ? withoutMark(chunk) : chunk;
      read += chunk.length;
      onBytes(read);
    }
  }
}

async function lookAt(file: string): Promise<{ size: number; mtimeMs: number; head: string; sha256: Buffer }> {
  try {
    const handle = await open(file);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw new FileFault(`${file} is no file`);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      const hash = createHash('sha256');
      for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk as Buffer);
      const head = withoutMark(buffer.subarray(0, bytesRead)).toString('utf8');
      return { size: stat.size, mtimeMs: stat.mtimeMs, head, sha256: hash.digest() };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof FileFault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new FileFault(`${file} cannot be read: ${WHY[code ?? ''] ?? (error as Error).message}`);
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

const MARK = Buffer.from('\ufeff');
const withoutMark = (bytes: Buffer): Buffer =>
  bytes.subarray(0, MARK.length).equals(MARK) ? bytes.subarray(MARK.length) : bytes;

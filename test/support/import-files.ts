import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import type { BadRow, ImportReport } from '../../src/import/import-report.js';
import type { ImportOptions } from '../../src/import/user-importer.js';
import { createLogger } from '../../src/common/logging.js';
import { createImporter } from '../../src/importer.js';
import { temporaryFolders } from './temporary-folders.js';
import type { TestApp } from './test-app.js';

export interface Imported {
  report: ImportReport;
  bad: BadRow[];
  /** As it was recognised, or given. */
  format: string;
}

const DEFAULTS: ImportOptions = {
  format: null,
  firebase: null,
  dryRun: false,
  skipBad: false,
  again: false,
  createRoles: false,
  roleMap: new Map(),
  allowPrivileged: false,
  allowNoPassword: false,
  keepIds: false,
};

/** Writes files, and imports them into the database of `app` with the class that the command uses. */
export function importFiles() {
  const newFolder = temporaryFolders();

  /** A new file of that extension. */
  const fileOf = (content: string | Buffer, extension = '.jsonl'): string => {
    const file = path.join(newFolder(), `users${extension}`);
    writeFileSync(file, content);
    return file;
  };

  const importFile = async (app: TestApp, file: string, options: Partial<ImportOptions> = {}): Promise<Imported> => {
    const bad: BadRow[] = [];
    let recognised = '';
    const listener = {
      onFormat: (format: string) => void (recognised = format),
      onBadRow: (row: BadRow) => void bad.push(row),
      onProgress: () => {},
    };
    const source = { ip: '127.0.0.1', userAgent: 'latchkey', requestId: 'command-line' };
    const importer = createImporter(app.config, app.database, createLogger('silent'));
    const report = await importer.run(file, { ...DEFAULTS, ...options }, listener, source);
    return { report, bad, format: recognised };
  };

  const importText = (
    app: TestApp,
    content: string | Buffer,
    extension = '.jsonl',
    options: Partial<ImportOptions> = {},
  ) => importFile(app, fileOf(content, extension), options);

  return { fileOf, importFile, importText };
}

/** One object a line. */
export const jsonLines = (records: object[]): string => records.map((record) => `${JSON.stringify(record)}\n`).join('');

/** A name that nobody has yet. */
export const newName = (): string => `u${randomBytes(6).toString('hex')}`;

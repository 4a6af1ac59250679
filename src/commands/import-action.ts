import fs from 'node:fs';

import type { RequestSource } from '../common/request-source.js';
import { readFirebaseHashing } from '../import/formats/firebase-hashing.js';
import type { BadRow, ImportReport } from '../import/import-report.js';
import type { ImportOptions, UserImporter } from '../import/user-importer.js';
import type { ImportFlags } from './import.command.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';

/**
 * Imports a file, and shows what came of it. Returns false where rows were bad and nothing was
 * imported for it.
 */
export async function importUsers(
  importer: UserImporter,
  output: Output,
  source: RequestSource,
  file: string,
  flags: ImportFlags,
): Promise<boolean> {
  const options = optionsOf(flags);
  const progress = new Progress();
  const reportFile = flags.report === undefined ? null : openReport(flags.report, [file, flags.firebaseHash]);
  const say = (line: string) => (reportFile === null ? progress.say(line) : void fs.writeSync(reportFile, `${line}\n`));
  const listener = {
    onFormat: (format: string, title: string) => progress.say(`Reading it as ${format}: ${title}.`),
    onBadRow: (row: BadRow) => say(output.isJson ? JSON.stringify(row) : lineOf(row)),
    onProgress: ({ pass, bytes, ofBytes }: { pass: string; bytes: number; ofBytes: number }) =>
      progress.show(pass, bytes, ofBytes),
  };
  try {
    const report = await importer.run(file, options, listener, source);
    progress.end();
    output.item({ ...report });
    return hasGoneWell(report);
  } finally {
    progress.end();
    if (reportFile !== null) fs.closeSync(reportFile);
  }
}

/** @throws Error where it is one of the files that are read, by whatever name: it would be emptied */
function openReport(report: string, inputs: readonly (string | undefined)[]): number {
  const identities = inputs.map((input) => identityOf(input)).filter((identity) => identity !== null);
  const own = identityOf(report);
  if (own !== null && identities.includes(own)) throw new Error(`--report ${report}: is the file that is read`);
  return fs.openSync(report, 'w', 0o600);
}

/** The same for all names of one file; null where there is none. */
function identityOf(file: string | undefined): string | null {
  const stat = file === undefined ? undefined : fs.statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.dev}:${stat.ino}` : null;
}

function optionsOf(flags: ImportFlags): ImportOptions {
  return {
    format: flags.format ?? null,
    firebase: flags.firebaseHash === undefined ? null : readFirebaseHashing(flags.firebaseHash),
    dryRun: flags.dryRun === true,
    skipBad: flags.skipBad === true,
    again: flags.again === true,
    createRoles: flags.createRoles === true,
    roleMap: new Map((flags.mapRole ?? []).map(pairOf)),
    allowPrivileged: flags.allowPrivileged === true,
    allowNoPassword: flags.allowNoPassword === true,
    keepIds: flags.keepIds === true,
  };
}

function pairOf(text: string): [string, string] {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new Error(`--map-role ${text}: must be old=new`);
  return [text.slice(0, at), text.slice(at + 1)];
}

const lineOf = ({ line, field, reason }: BadRow): string =>
  `line ${line}: ${field === null ? '' : `${field}: `}${reason}`;

const hasGoneWell = ({ outcome, bad }: ImportReport): boolean =>
  outcome === 'imported' || outcome === 'done_before' || bad === 0;

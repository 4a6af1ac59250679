import { createHash, randomBytes } from 'node:crypto';

import type { EntityManager } from 'typeorm';

import type { RolesRepository } from '../access/roles.repository.js';
import type { AuditLog } from '../audit/audit-log.js';
import type { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import type { RequestSource } from '../common/request-source.js';
import type { SeedCipher } from '../mfa/seed-cipher.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type { RowRules } from './account-row.js';
import type { FirebaseHashing, FormatOptions } from './formats/import-format.js';
import { keepParts } from './account-parts.js';
import { ImportCheck } from './import-check.js';
import type { ImportListener, ImportReport, Progress } from './import-report.js';
import { ImportWriter } from './import-writer.js';
import type { ImportRepository, ImportSession } from './import.repository.js';
import { FileFault } from './reading/file-record.js';
import { SourceFile } from './reading/source-file.js';
import { rowBatches } from './row-batches.js';
import type { UserImport } from './user-import.entity.js';

/** More names that are no role's are no roles: it is another column. */
const MAX_NEW_ROLES = 1000;

export interface ImportOptions extends Omit<RowRules, 'now' | 'roles'> {
  /** Null: it is recognised. */
  readonly format: string | null;
  readonly firebase: FirebaseHashing | null;
  /** Looks, and writes nothing. */
  readonly dryRun: boolean;
  /** Imports the good rows where there are bad ones; else nothing is imported then. */
  readonly skipBad: boolean;
  /** Imports a file once more that was imported. */
  readonly again: boolean;
}

/** What an import works with. */
export interface ImportTools {
  readonly repository: ImportRepository;
  readonly roles: RolesRepository;
  readonly audit: AuditLog;
  readonly cipher: SeedCipher;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
}

/** All that the passes of one import share. */
interface Run {
  readonly file: SourceFile;
  readonly session: ImportSession;
  readonly importKey: Buffer;
  readonly rules: RowRules;
  readonly formatOptions: FormatOptions;
  readonly options: ImportOptions;
  readonly listener: ImportListener;
  readonly source: RequestSource;
}

/**
 * Imports accounts from a file: one pass looks at all of it, and only then the next one writes, in batches that each commit
 * with how far the import is. Killed at any point and started again, it goes on behind the last batch.
 */
export class UserImporter {
  constructor(private readonly tools: ImportTools) {}

  /** @throws FileFault where the file cannot be read to its end; nothing is written then */
  async run(
    path: string,
    options: ImportOptions,
    listener: ImportListener,
    source: RequestSource,
  ): Promise<ImportReport> {
    const begun = performance.now();
    const file = await SourceFile.open(path, options.format);
    listener.onFormat(file.format.name, file.format.title);
    const importKey = keyOf(file, options);
    const now = this.tools.clock.now();
    const roles = new Map((await this.tools.roles.list()).map(({ name, permissions }) => [name, permissions]));
    const rules: RowRules = { ...options, now, roles };
    const formatOptions: FormatOptions = { now, firebase: options.firebase };
    const report = await this.tools.repository.session(importKey, (session) =>
      this.work({ file, session, importKey, rules, formatOptions, options, listener, source }),
    );
    return { ...report, seconds: Math.round(performance.now() - begun) / 1000 };
  }

  private async work(run: Run): Promise<Omit<ImportReport, 'seconds'>> {
    const { session, file, options, importKey, rules } = run;
    const before = options.again ? null : await session.find(importKey);
    if (before?.finishedAt) return doneBefore(file, before);

    await keepParts(file, session.parts, progressOf(run, 'reading'));
    const check = await this.check(run, before?.position ?? 0);
    const newRoles = [...check.roles].filter((role) => !rules.roles.has(role)).toSorted();
    const refused = check.bad > 0 && !options.skipBad;
    if (options.dryRun || refused) return reportOf(file, check, before, refused ? 'refused' : 'checked', newRoles);

    file.requireUnchanged();
    await this.createRoles(run, newRoles);
    const state = before ?? (await this.begin(run));
    const begun = performance.now();
    const finished = await this.write(run, state, check);
    const rate = ((finished.position - state.position) * 1000) / (performance.now() - begun);
    return {
      ...reportOf(file, check, before, 'imported', newRoles),
      imported: finished.imported,
      bad: finished.refused,
      rows_per_second: Math.round(rate),
    };
  }

  private async check(run: Run, doneUntil: number): Promise<ImportCheck> {
    const { file, session, rules, formatOptions, options, listener } = run;
    const check = new ImportCheck(session, doneUntil, options.keepIds, (row) => listener.onBadRow(row));
    for await (const batch of rowBatches(file, session, rules, formatOptions, 0, progressOf(run, 'checking'))) {
      await check.add(batch);
      if (check.roles.size > rules.roles.size + MAX_NEW_ROLES) {
        throw new FileFault(`the file names more than ${MAX_NEW_ROLES} roles that are not there: are they roles?`);
      }
    }
    await check.countOrphans();
    if (check.rows === 0) throw new FileFault(`${file.path} holds no accounts${whereExpected(file)}`);
    return check;
  }

  private async createRoles({ session, source }: Run, names: readonly string[]): Promise<void> {
    await session.transaction(async (tx) => {
      for (const name of names) {
        const made = await this.tools.roles.insert(tx, {
          name,
          permissions: [],
          builtIn: false,
          createdAt: this.tools.clock.now(),
        });
        if (made)
          await this.tools.audit.record(tx, { type: 'role.created', details: { name, permissions: [] } }, source);
      }
    });
  }

  private async begin({ session, file, importKey, options, rules: { now } }: Run): Promise<UserImport> {
    const state: UserImport = {
      id: newId(now),
      importKey,
      fileSha256: file.sha256,
      format: file.format.name,
      position: 0,
      imported: 0,
      refused: 0,
      startedAt: now,
      finishedAt: null,
    };
    await session.transaction(async (tx) => {
      if (options.again) await session.forget(tx, importKey);
      await session.begin(tx, state);
    });
    return state;
  }

  private async write(run: Run, state: UserImport, check: ImportCheck): Promise<UserImport> {
    const { file, session, rules, formatOptions, options, listener, source } = run;
    const { tools } = this;
    // One that nobody knows, for all accounts without a password: theirs is chosen by a link.
    const unusableHash =
      check.withoutPassword > 0 ? await tools.hasher.hash(randomBytes(32).toString('base64url')) : '';
    const writer = new ImportWriter(tools, session, state.id, {
      unusableHash,
      source,
      listener,
      skipBad: options.skipBad,
    });
    const batches = rowBatches(file, session, rules, formatOptions, state.position, progressOf(run, 'writing'));
    for await (const batch of batches) await writer.write(batch, check.bad > 0, options.keepIds);
    return session.transaction((tx) => this.finish(tx, session, state, check, source));
  }

  private async finish(
    tx: EntityManager,
    session: ImportSession,
    { id }: UserImport,
    { leftOut }: ImportCheck,
    source: RequestSource,
  ): Promise<UserImport> {
    const done = await session.finish(tx, id, this.tools.clock.now());
    const { format, imported, refused } = done;
    const details = {
      import_id: id,
      file_sha256: done.fileSha256.toString('hex'),
      format,
      imported,
      refused,
      left_out: leftOut,
    };
    await this.tools.audit.record(tx, { type: 'users.imported', details }, source);
    return done;
  }
}

/** The file, and all that decides what its records say: another reading of it is another import. */
function keyOf(file: SourceFile, { keepIds, roleMap, firebase }: ImportOptions): Buffer {
  const reading = JSON.stringify([file.format.name, keepIds, [...roleMap].toSorted(), firebase]);
  return createHash('sha256').update(file.sha256).update(reading).digest();
}

const progressOf =
  ({ file, listener }: Run, pass: Progress['pass']) =>
  (bytes: number): void =>
    listener.onProgress({ pass, bytes, ofBytes: file.bytes });

function whereExpected({ shape, format }: SourceFile): string {
  if (shape !== 'object') return '';
  const names = format.accountSections.join(' or ');
  return names === '' ? ': this format has one object a line, or an array' : `: none in an array ${names}`;
}

function reportOf(
  file: SourceFile,
  check: ImportCheck,
  before: UserImport | null,
  outcome: ImportReport['outcome'],
  newRoles: readonly string[],
): Omit<ImportReport, 'seconds'> {
  return {
    outcome,
    format: file.format.name,
    file_sha256: file.sha256.toString('hex'),
    rows: check.rows,
    imported: before?.imported ?? 0,
    bad: check.bad,
    left_out: check.leftOut,
    without_password: check.withoutPassword,
    left_behind: Object.fromEntries(check.leftBehind),
    roles_created: outcome === 'imported' ? newRoles : [],
    resumed_after: before?.position ?? 0,
    rows_per_second: null,
  };
}

const doneBefore = (file: SourceFile, { position, imported, refused }: UserImport): Omit<ImportReport, 'seconds'> => ({
  outcome: 'done_before',
  format: file.format.name,
  file_sha256: file.sha256.toString('hex'),
  rows: position,
  imported,
  bad: refused,
  left_out: position - imported - refused,
  without_password: 0,
  left_behind: {},
  roles_created: [],
  resumed_after: position,
  rows_per_second: null,
});

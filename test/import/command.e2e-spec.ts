import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import type { ImportReport } from '../../src/import/import-report.js';
import { importFiles, jsonLines, newName } from '../support/import-files.js';
import { eventually } from '../support/service-process.js';
import { TestApp } from '../support/test-app.js';

const HASH = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const SEED = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const people = (count: number) =>
  Array.from({ length: count }, (_, at) => {
    const username = `${newName()}-${at}`;
    return { username, email: `${username}@example.com`, password_hash: HASH, ...(at % 5 === 0 && { totp: [SEED] }) };
  });

describe('latchkey users import', () => {
  const { fileOf } = importFiles();
  let app: TestApp;
  beforeEach(async () => (app = await TestApp.start()));
  afterEach(() => app.stop());

  const env = () => ({
    PATH: process.env.PATH,
    DATABASE_URL: app.databaseUrl,
    MASTER_SECRET: app.config.masterSecret,
    JWT_SECRET: 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA',
  });
  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [path.resolve('dist/cli.js'), '--json', 'users', 'import', ...args], {
      cwd: path.dirname(args[0]),
      env: env(),
      stdio: 'ignore',
    });
  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const options = { cwd: path.dirname(args[0]), env: env() };
      const command = [path.resolve('dist/cli.js'), '--json', 'users', 'import', ...args];
      execFile(process.execPath, command, options, (error, out, err) =>
        resolve({ code: (error?.code as number | undefined) ?? 0, out, err }),
      );
    });
  const reportOf = ({ out }: { out: string }) => JSON.parse(out) as ImportReport;

  const counts = async () =>
    (
      await app.rows(`
        select (select count(*)::int from users) as users, (select count(*)::int from totp_authenticators) as seeds,
               (select count(*)::int from users where second_factors = '{totp}') as with_totp,
               (select count(*)::int from audit_events where type = 'user.imported') as audited,
               (select count(distinct user_id)::int from audit_events where type = 'user.imported') as audited_users,
               (select count(*)::int from audit_events where type = 'users.imported') as summaries`)
    )[0];
  const whole = (count: number) => ({
    users: count,
    seeds: count / 5,
    with_totp: count / 5,
    audited: count,
    audited_users: count,
    summaries: 1,
  });

  it('killed again and again goes on where it was, until every account is there once', async () => {
    const file = fileOf(jsonLines(people(4000)));
    const position = async () =>
      (await app.rows<{ position: number }>('select position from user_imports'))[0]?.position ?? 0;
    for (const goal of [1, 2000]) {
      const child = start(file);
      await eventually(async () => (await position()) >= goal, 40);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const before = await position();
    const ended = await run(file);
    expect(reportOf(ended)).toMatchObject({ outcome: 'imported', rows: 4000, imported: 4000, bad: 0 });
    expect(reportOf(ended).resumed_after).toBeGreaterThanOrEqual(before);
    expect(await counts()).toEqual(whole(4000));
    const again = await run(file);
    expect([again.code, reportOf(again)]).toEqual([
      0,
      expect.objectContaining({ outcome: 'done_before', imported: 4000 }),
    ]);
    expect(await counts()).toEqual(whole(4000));
  });

  it('of one file by two at once imports it once', async () => {
    const file = fileOf(jsonLines(people(5000)));
    const ended = await Promise.all([run(file), run(file)]);
    const imported = ended.filter(({ code, out }) => code === 0 && out.includes('"outcome": "imported"'));
    expect(imported).toHaveLength(1);
    expect(await counts()).toEqual(whole(5000));
  });

  it('looks first, and says what is bad by line: to standard error, or to a file', async () => {
    const [one, two] = people(2);
    const file = fileOf(jsonLines([one, { ...two, password_hash: 'my password' }]));
    const looked = await run(file, '--dry-run');
    expect([looked.code, reportOf(looked)]).toEqual([
      1,
      expect.objectContaining({ outcome: 'refused', rows: 2, bad: 1, imported: 0 }),
    ]);
    const bad = { line: 2, field: 'password_hash', reason: 'is of no scheme that is known here' };
    expect(looked.err).toContain(`${JSON.stringify(bad)}\n`);
    expect(looked.err).toContain('Reading it as latchkey');
    const to = `${file}.report`;
    expect((await run(file, '--report', to)).code).toBe(1);
    expect(readFileSync(to, 'utf8')).toBe(`${JSON.stringify(bad)}\n`);
    expect(await app.rows('select 1 from users')).toEqual([]);
    const skipped = await run(file, '--skip-bad');
    expect([skipped.code, reportOf(skipped)]).toEqual([0, expect.objectContaining({ imported: 1, bad: 1 })]);
    expect(looked.err + skipped.err + skipped.out).not.toContain('my password');
  });

  it('writes its report over no file that it reads, by whatever name', async () => {
    const text = jsonLines(people(1));
    const file = fileOf(text);
    const hashing = fileOf('base64_signer_key: A\nbase64_salt_separator: A\nrounds: 8\nmem_cost: 14\n', '.txt');
    const link = `${file}.link`;
    linkSync(file, link);
    for (const report of [file, link, hashing]) {
      const ended = await run(file, '--firebase-hash', hashing, '--report', report);
      expect(ended.code).not.toBe(0);
      expect(ended.err).toContain('is the file that is read');
    }
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readFileSync(hashing, 'utf8')).toContain('mem_cost');
  });

  it('takes the hash parameters of Firebase as its console shows them', async () => {
    const hashing = fileOf(
      'hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: AAAA,\n  rounds: 8,\n  mem_cost: 14,\n}\n',
      '.txt',
    );
    const file = fileOf(JSON.stringify({ users: [{ localId: 'x', email: 'a@example.com' }] }), '.json');
    expect((await run(file, '--firebase-hash', hashing)).err).toContain('base64_salt_separator is missing');
    writeFileSync(hashing, readFileSync(hashing, 'utf8').replace('rounds', 'base64_salt_separator: Bw==,\n  rounds'));
    const ended = await run(file, '--firebase-hash', hashing, '--allow-no-password');
    expect(reportOf(ended)).toMatchObject({ format: 'firebase', imported: 1, without_password: 1 });
  });
});

// Imports a made file of accounts with ready hashes into an embedded PostgreSQL: rows a second, and the memory of the
// importing process. Then the same into a fresh database, killed half-way and started again: no account twice, none missing.
//
// node bench/import.mjs [accounts] [jsonl] [csv]
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { judge, printMachine, printTable, projectRoot, temporaryFolder } from './support.mjs';

const ACCOUNTS = Number(process.argv[2] ?? 1_000_000);
const FORMATS = process.argv.length > 3 ? process.argv.slice(3) : ['jsonl', 'csv'];
const MIN_ROWS_A_SECOND = 5000;
const MAX_RESIDENT_MB = 200;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** bcrypt hashes as far as an import looks; one account in ten has an authenticator app. */
async function writeFile(file, format) {
  const out = fs.createWriteStream(file);
  if (format === 'csv') out.write('username,email,email_verified,password_hash,totp,created_at\n');
  for (let at = 0; at < ACCOUNTS; at++) {
    const name = `${randomBytes(4).toString('hex')}-${at}`;
    const hash = `$2b$10$${randomBytes(24).toString('hex').slice(0, 21)}e${randomBytes(24).toString('hex').slice(0, 30)}e`;
    const seed = at % 10 ? '' : Array.from(randomBytes(32), (byte) => BASE32[byte % 32]).join('');
    const account = { username: name, email: `${name}@example.com`, email_verified: true, password_hash: hash };
    const line =
      format === 'csv'
        ? `${name},${name}@example.com,true,${hash},${seed},2024-01-31T12:00:00Z\n`
        : `${JSON.stringify({ ...account, ...(seed && { totp: [seed] }), created_at: '2024-01-31T12:00:00Z' })}\n`;
    if (!out.write(line)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** The command as a process; the highest resident memory that the kernel saw of it. */
function startImport(env, file) {
  const child = spawn(process.execPath, [path.join(projectRoot, 'dist/cli.js'), '--json', 'users', 'import', file], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  let peakKb = 0;
  child.stdout.on('data', (chunk) => (out += chunk));
  const timer = setInterval(() => {
    try {
      peakKb = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]);
    } catch {
      // It has ended.
    }
  }, 20);
  const done = once(child, 'exit').then(([code, signal]) => {
    clearInterval(timer);
    return { code, signal, peakMb: Math.round((peakKb * 1024) / 1e6), report: out && JSON.parse(out) };
  });
  return { child, done };
}

async function count(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(`
    select (select count(*)::int from users) as users, (select count(*)::int from totp_authenticators) as seeds,
           (select count(*)::int from audit_events where type = 'user.imported') as audited,
           (select count(distinct user_id)::int from audit_events where type = 'user.imported') as audited_users,
           (select count(*)::int from audit_events where type = 'users.imported') as summaries`);
  await client.end();
  return rows[0];
}

async function withDatabase(name, work) {
  const database = await startEmbeddedPostgres(path.join(folder, name));
  const env = {
    DATABASE_URL: database.url,
    DATABASE_MIGRATION_URL: database.ownerUrl,
    MASTER_SECRET: randomBytes(48).toString('base64'),
    JWT_SECRET: randomBytes(48).toString('base64'),
    JWT_ISSUER: 'https://auth.example.com',
  };
  try {
    return await work(env, database.ownerUrl);
  } finally {
    await database.stop();
    fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

async function position(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query('select position from user_imports')).rows[0]?.position ?? 0;
  } catch {
    return 0; // not migrated yet
  } finally {
    await client.end();
  }
}

printMachine();
const folder = temporaryFolder();
const expected = { users: ACCOUNTS, seeds: Math.ceil(ACCOUNTS / 10) };
const isWhole = (counts) =>
  counts.users === expected.users &&
  counts.seeds === expected.seeds &&
  counts.audited === expected.users &&
  counts.audited_users === expected.users &&
  counts.summaries === 1;

try {
  const files = Object.fromEntries(FORMATS.map((format) => [format, path.join(folder, `users.${format}`)]));
  for (const [format, file] of Object.entries(files)) await writeFile(file, format);

  const rows = [['import', 'accounts', 'rows/s, writing', 'rows/s, in all', 'seconds', 'peak, MB']];
  const runs = [];
  for (const [format, file] of Object.entries(files)) {
    const { run, counts } = await withDatabase(format, async (env, url) => {
      const ended = await startImport(env, file).done;
      return { run: ended, counts: await count(url) };
    });
    if (!isWhole(counts)) throw new Error(`not all are there: ${JSON.stringify(counts)}`);
    const { seconds, rows_per_second } = run.report;
    runs.push({ rate: ACCOUNTS / seconds, peakMb: run.peakMb });
    rows.push([format, ACCOUNTS, rows_per_second, Math.round(ACCOUNTS / seconds), seconds.toFixed(1), run.peakMb]);
  }
  printTable(rows);

  const resumed = await withDatabase('killed', async (env, url) => {
    const [file] = Object.values(files);
    const { child, done } = startImport(env, file);
    while ((await position(url)) < ACCOUNTS / 2 && child.exitCode === null) await sleep(20);
    child.kill('SIGKILL');
    await done;
    const before = await count(url);
    const again = await startImport(env, file).done;
    return { before, after: await count(url), again };
  });
  const { before, after, again } = resumed;
  process.stdout.write(
    `\nkilled with ${before.users} accounts there; went on behind record ${again.report?.resumed_after}: ${JSON.stringify(after)}\n`,
  );

  judge([
    {
      what: `at least ${MIN_ROWS_A_SECOND} rows a second, the check of the whole file included`,
      met: runs.every(({ rate }) => rate >= MIN_ROWS_A_SECOND),
    },
    {
      what: `at most ${MAX_RESIDENT_MB} MB`,
      met: [...runs, again].every(({ peakMb }) => peakMb <= MAX_RESIDENT_MB),
    },
    {
      what: 'killed half-way and resumed: every account once, with one audit row',
      met:
        before.users > 0 && before.users < ACCOUNTS && again.report?.resumed_after === before.users && isWhole(after),
    },
  ]);
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

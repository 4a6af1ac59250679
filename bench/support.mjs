// What the benches share: child processes, CPU and memory from /proc, medians, tables. Linux only.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const projectRoot = path.resolve(import.meta.dirname, '..');

/** A new folder below the system's temporary one. Readable: an unprivileged PostgreSQL must get through it. */
export function temporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'latchkey-bench-'));
  fs.chmodSync(folder, 0o755);
  return folder;
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The environment of a child: only what is named, so that no `.env` or shell setting changes a result. */
export const bareEnv = (settings) => ({ PATH: process.env.PATH, HOME: process.env.HOME, ...settings });

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill()));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** Starts Node on a script, its standard output to /dev/null. Returns the process and how to end it. */
export function startNode(args, env, cwd = projectRoot) {
  const child = spawn(process.execPath, args, { cwd, env: bareEnv(env), stdio: ['ignore', 'ignore', 'inherit'] });
  running.add(child);
  const exited = new Promise((resolve) =>
    child.once('exit', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    }),
  );
  return {
    pid: child.pid,
    exited,
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** The status that `GET url` is answered with; 0 where nobody answers. */
export function statusOf(url) {
  return new Promise((resolve) => {
    const request = http.get(url, { agent: false, timeout: 5000 }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    });
    request.once('error', () => resolve(0));
    request.once('timeout', () => request.destroy());
  });
}

/** Resolves at the first 200 of `url`. Rejects where the process ends first, or after a minute. */
export async function answers(url, exited, intervalMs = 10) {
  let over = false;
  void exited.then(() => (over = true));
  const deadline = Date.now() + 60_000;
  while ((await statusOf(url)) !== 200) {
    if (over) throw new Error(`the process ended before ${url} answered`);
    if (Date.now() > deadline) throw new Error(`${url} did not answer within a minute`);
    await sleep(intervalMs);
  }
}

/** The fields of /proc/<pid>/stat from the state on; null where the process is gone. */
function statOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  } catch {
    return null;
  }
}

/** CPU time of a process, all threads, in microseconds. The kernel tells it in steps of 10 ms. */
export function cpuMicros(pid) {
  const stat = statOf(pid);
  return stat === null ? 0 : (Number(stat[11]) + Number(stat[12])) * 10_000;
}

/** CPU time of a process and its children, those that have ended included. */
export function familyCpuMicros(pid) {
  const stat = statOf(pid);
  if (stat === null) return 0;
  const ended = (Number(stat[13]) + Number(stat[14])) * 10_000;
  return childrenOf(pid).reduce((sum, child) => sum + cpuMicros(child), cpuMicros(pid) + ended);
}

/** The children of a process, all its threads' together. */
export function childrenOf(pid) {
  const threads = fs.readdirSync(`/proc/${pid}/task`);
  return threads.flatMap((thread) =>
    fs.readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** A process and all that descend from it. */
export const familyOf = (pid) => [pid, ...childrenOf(pid).flatMap(familyOf)];

/** The resident memory of a process, in MB (10⁶ bytes). */
export function residentMb(pid) {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round((Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024) / 1e6);
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Two-sided p of the Mann-Whitney U test, by its normal approximation: 200 against 200 is far beyond its need. */
export function mannWhitney(left, right) {
  const all = [...left.map((value) => [value, 0]), ...right.map((value) => [value, 1])].sort((a, b) => a[0] - b[0]);
  const rankSum = all.reduce((sum, [, side], index) => (side === 0 ? sum + index + 1 : sum), 0);
  const [n, m] = [left.length, right.length];
  const z = (rankSum - (n * (n + 1)) / 2 - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return erfc(Math.abs(z) / Math.SQRT2);
}

/** Abramowitz and Stegun, 7.1.26. */
function erfc(x) {
  const t = 1 / (1 + 0.3275911 * x);
  return (
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x)
  );
}

/** `median (lowest to highest)` */
export const spread = (values, digits = 0) =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`;

/** Prints rows of equal length in columns, the first row being the heads. */
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? String(cell).padEnd(widths[0]) : String(cell).padStart(widths[column]),
    );
    process.stdout.write(`${cells.join('  ')}\n`);
  }
}

/** Prints each budget with what came of it; the process ends with 1 where one was missed. */
export function judge(budgets) {
  process.stdout.write('\n');
  for (const { what, met } of budgets) {
    process.stdout.write(`${met ? 'met   ' : 'MISSED'}  ${what}\n`);
    if (!met) process.exitCode = 1;
  }
}

/** One line on the machine and its load, without which no figure means much. */
export function printMachine() {
  const load = os.loadavg().map((value) => value.toFixed(2));
  process.stdout.write(
    `Node ${process.version}, ${os.cpus().length} × ${os.cpus()[0].model.trim()}, load ${load.join(' ')}\n\n`,
  );
}

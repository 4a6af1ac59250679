// Measures how long `npm start` takes until /health/ready answers 200 for the first time, and how
// much memory the service's Node process holds five seconds later (VmRSS), with its embedded
// PostgreSQL: five times in a fresh DATA_DIR, and then once again in each. The build is done before.
// Budgets, by the medians: fresh at most 4 s, warm at most 2 s, memory at rest at most 160 MB.
//
// node bench/start.mjs [times, default 5]
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  answers,
  bareEnv,
  familyOf,
  freePort,
  judge,
  median,
  printMachine,
  printTable,
  projectRoot,
  residentMb,
  spread,
  temporaryFolder,
} from './support.mjs';

const [times = 5] = process.argv.slice(2).map(Number);
const MAX_FRESH_SECONDS = 4;
const MAX_WARM_SECONDS = 2;
const MAX_RESIDENT_MB = 160;
const REST_MS = 5000;

/** Starts the service as a user would, waits for its first 200, lets it rest, and ends it. */
async function start(dataDir) {
  const port = await freePort();
  const begun = performance.now();
  const npm = spawn('npm', ['start'], {
    cwd: projectRoot,
    env: bareEnv({ DATA_DIR: dataDir, PORT: String(port), npm_config_loglevel: 'error' }),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise((resolve) => npm.once('exit', resolve));
  await answers(`http://127.0.0.1:${port}/health/ready`, exited, 5);
  const readySeconds = (performance.now() - begun) / 1000;
  await sleep(REST_MS);
  const service = familyOf(npm.pid).find(isService);
  const atRest = residentMb(service);
  process.kill(service, 'SIGTERM'); // npm would hand it to its shell, which keeps it
  await exited;
  return { readySeconds, residentMb: atRest };
}

const isService = (pid) => {
  const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  return path.basename(args[0] ?? '') === 'node' && args.slice(-2).join(' ') === 'dist/cli.js serve';
};

execFileSync(process.execPath, [path.join(projectRoot, 'scripts/build-if-stale.mjs')], { stdio: 'inherit' });
printMachine();
const fresh = [];
const warm = [];
for (let time = 0; time < times; time++) {
  const folder = temporaryFolder();
  try {
    const dataDir = path.join(folder, 'data');
    fresh.push(await start(dataDir));
    warm.push(await start(dataDir));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
const table = [['median (range)', 'first 200, s', 'at rest, MB']];
for (const [name, runs] of Object.entries({ fresh, warm })) {
  table.push([
    name,
    spread(
      runs.map(({ readySeconds }) => readySeconds),
      2,
    ),
    spread(runs.map(({ residentMb }) => residentMb)),
  ]);
}
printTable(table);
const medianOf = (runs, member) => median(runs.map((run) => run[member]));
const resident = medianOf([...fresh, ...warm], 'residentMb');
judge([
  { what: `fresh start, at most ${MAX_FRESH_SECONDS} s`, met: medianOf(fresh, 'readySeconds') <= MAX_FRESH_SECONDS },
  { what: `warm start, at most ${MAX_WARM_SECONDS} s`, met: medianOf(warm, 'readySeconds') <= MAX_WARM_SECONDS },
  { what: `memory at rest, at most ${MAX_RESIDENT_MB} MB`, met: resident <= MAX_RESIDENT_MB },
]);

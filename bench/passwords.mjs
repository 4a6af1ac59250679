// Measures what an attacker meets at the door, in three parts:
//   rate    sign-ins a second against bare checks by the same hash library on the same core;
//   flood   refreshes while 50 times more wrong sign-ins come than the machine can hash;
//   timing  whether the time of an answer tells a known name from an unknown one.
// Budgets: rate ≥ 0.9; refresh p99 ≤ 3 times its unloaded p99 without an error, event-loop delay p99
// < 50 ms, memory within the hash budget, excess sign-ins answered in < 2.5 s; medians within 5 % of
// each other and Mann-Whitney p > 0.01. All load goes to 127.0.0.1 and ends by itself.
//
// node bench/passwords.mjs [rate flood timing] [--seconds 60, of the flood]
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import pg from 'pg';

import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import {
  answers,
  freePort,
  judge,
  mannWhitney,
  median,
  printMachine,
  printTable,
  projectRoot,
  spread,
  startNode,
  temporaryFolder,
} from './support.mjs';

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '60' } },
  allowPositionals: true,
});
const wanted = (part) => positionals.length === 0 || positionals.includes(part);
const FLOOD_SECONDS = Number(values.seconds);
const PASSWORD = 'correct-horse-battery';
const ALL_CORES = `0-${os.availableParallelism() - 1}`;
const SERVICE = [path.join(projectRoot, 'dist/cli.js'), 'serve'];
const FLOOR = [path.join(import.meta.dirname, 'sign-in-floor.mjs')];
const budgets = [];

printMachine();
if (wanted('rate')) await measureRate();
if (wanted('flood')) await measureFlood();
if (wanted('timing')) await measureTiming();
judge(budgets);

/** A database of its own for one part; it inherits the cores that this process may use. */
async function withDatabase(work) {
  const folder = temporaryFolder();
  const database = await startEmbeddedPostgres(path.join(folder, 'postgres'));
  try {
    await work(database.ownerUrl);
  } finally {
    await database.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Confines this process, with all its threads, to some cores. */
function confine(cores) {
  execFileSync('taskset', ['-apc', cores, String(process.pid)], { stdio: 'ignore' });
}

/** Starts the service, its limits off but for `settings`, on some of the cores; or what plays its floor. */
async function startService(databaseUrl, settings = {}, cores = ALL_CORES, args = SERVICE) {
  const port = await freePort();
  const env = {
    MASTER_SECRET: randomBytes(48).toString('base64'),
    JWT_SECRET: randomBytes(48).toString('base64'),
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    PUBLIC_URL: 'https://auth.bench.test',
    DATABASE_URL: databaseUrl,
    TRUST_PROXY: '1',
    LOG_LEVEL: 'warn',
    THROTTLE_LOGIN: 'off',
    THROTTLE_REFRESH: 'off',
    THROTTLE_DEFAULT: 'off',
    ...settings,
  };
  const mine = cores === ALL_CORES ? ALL_CORES : '1';
  confine(cores); // inherited, and seen by the service when it counts its cores
  const service = startNode(args, env);
  confine(mine);
  await answers(`http://127.0.0.1:${port}/health/ready`, service.exited, 20);
  return { ...service, port, agent: new http.Agent({ keepAlive: true, maxSockets: 512 }) };
}

/** Posts JSON without cookies. Resolves with the status, the answer and the milliseconds it took; status 0 on a fault. */
function post({ port, agent }, route, body, headers = {}) {
  const text = JSON.stringify(body);
  const begun = performance.now();
  return new Promise((resolve) => {
    const request = http.request(
      {
        port,
        agent,
        host: '127.0.0.1',
        path: route,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          'x-auth-transport': 'body',
          ...headers,
        },
      },
      (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => (answer += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, body: JSON.parse(answer || '{}'), ms: performance.now() - begun }),
        );
      },
    );
    request.on('error', () => resolve({ status: 0, body: {}, ms: performance.now() - begun }));
    request.end(text);
  });
}

async function register(service, count) {
  const people = Array.from({ length: count }, () => `u${randomBytes(8).toString('hex')}`);
  const tokens = [];
  for (const username of people) {
    const { status, body } = await post(service, '/auth/register', {
      username,
      email: `${username}@example.com`,
      password: PASSWORD,
    });
    if (status !== 201) throw new Error(`registration was answered ${status}: ${body.code}`);
    tokens.push(body.refresh_token);
  }
  return { people, tokens };
}

function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Bare checks on `cores`, for as long as is asked; they end with `stop`. */
function startBareChecks(cores) {
  const child = spawn('taskset', ['-c', cores, process.execPath, path.join(import.meta.dirname, 'raw-hash.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    /** How many there were a second, for `ms`. */
    async run(ms) {
      child.stdin.write(`${ms}\n`);
      return Number((await lines.next()).value);
    },
    stop: () => child.stdin.end(),
  };
}

/**
 * One core for the service and, in turn, for its floor and for bare checks; the database and this driver have the
 * other. So all have the same core, and the ratio is the share of it that goes to hashing.
 * The arms alternate every second; what else goes on in the machine meets both alike.
 */
async function measureRate() {
  const rounds = 12;
  const turns = 4;
  const turnMs = 1000;
  const warmUp = 1500;
  const [ratios, floorRatios] = [[], []];
  const rows = [];
  confine('1');
  await withDatabase(async (databaseUrl) => {
    const service = await startService(databaseUrl, {}, '0');
    const floor = await startService(databaseUrl, {}, '0', FLOOR);
    const bare = startBareChecks('0');
    // So many that nobody comes to the most sessions that one may have: ending some is no part of a sign-in.
    const { people } = await register(service, 400);
    let next = 0;
    const signIns = async (server, isOver) => {
      const begun = performance.now();
      let done = 0;
      const lane = async () => {
        while (!isOver(performance.now() - begun, done)) {
          const username = people[next++ % people.length];
          const { status } = await post(server, '/auth/login', { username, password: PASSWORD });
          if (status !== 200) throw new Error(`a sign-in was answered ${status}`);
          done++;
        }
      };
      await Promise.all([lane(), lane(), lane(), lane()]);
      return done / ((performance.now() - begun) / 1000);
    };
    for (const server of [service, floor]) await signIns(server, (_ms, done) => done >= warmUp);
    for (let round = 1; round <= rounds; round++) {
      let [checks, logins, bareLogins] = [0, 0, 0];
      for (let turn = 0; turn < turns; turn++) {
        checks += (await bare.run(turnMs)) / turns;
        logins += (await signIns(service, (ms) => ms >= turnMs)) / turns;
        bareLogins += (await signIns(floor, (ms) => ms >= turnMs)) / turns;
      }
      ratios.push(logins / checks);
      floorRatios.push(bareLogins / checks);
      rows.push([
        String(round),
        ...[checks, logins, bareLogins].map((rate) => rate.toFixed(1)),
        ...[logins / checks, bareLogins / checks].map((ratio) => ratio.toFixed(3)),
      ]);
    }
    bare.stop();
    for (const server of [service, floor]) await server.stop();
  });
  confine(ALL_CORES);
  printTable([
    ['round', 'bare checks/s', 'sign-ins/s', 'the floor’s', 'ratio', 'the floor’s'],
    ...rows,
    ['median', '', '', '', spread(ratios, 3), spread(floorRatios, 3)],
  ]);
  budgets.push({
    what: `sign-ins per bare check of a hash on the same core: ${median(ratios).toFixed(3)} ≥ 0.9`,
    met: median(ratios) >= 0.9,
  });
}

/** Refreshes at a steady pace, each when it is due whether or not others are late: no coordinated omission. */
async function refreshSteadily(service, tokens, seconds, everyMs) {
  const times = [];
  let errors = 0;
  const begun = performance.now();
  const pending = [];
  const idle = tokens.map((_, index) => index);
  for (let tick = 0; tick * everyMs < seconds * 1000; tick++) {
    const due = begun + tick * everyMs;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    const index = idle.shift();
    if (index === undefined) throw new Error('all refresh chains are busy: the service does not keep up');
    pending.push(
      post(service, '/auth/refresh', { refresh_token: tokens[index] }).then(({ status, body }) => {
        times.push(performance.now() - due);
        if (status === 200) tokens[index] = body.refresh_token;
        else errors++;
        idle.push(index);
      }),
    );
  }
  await Promise.all(pending);
  times.sort((a, b) => a - b);
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), errors, count: times.length };
}

/** The event-loop delay and memory of the service, as its own probe (bench/probe.mjs) writes them down. */
function readProbe(file) {
  return fs
    .readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/**
 * Wrong sign-ins for names of their own, so that no lock spares the work, as fast as the service
 * answers them and at least 50 times what the machine can hash, beside 50 refreshes a second.
 */
async function measureFlood() {
  await withDatabase(async (databaseUrl) => {
    const probe = path.join(temporaryFolder(), 'probe.jsonl');
    const service = await startService(databaseUrl, {
      NODE_OPTIONS: `--import=${path.join(import.meta.dirname, 'probe.mjs')}`,
      PROBE_FILE: probe,
    });
    const { tokens } = await register(service, 200);
    await refreshSteadily(service, tokens, 5, 20);
    const base = await refreshSteadily(service, tokens, 15, 20);
    const calm = readProbe(probe).at(-1);
    const checks = startBareChecks(ALL_CORES);
    const bare = await checks.run(3000);
    checks.stop();

    fs.truncateSync(probe);
    const flood = spawn(
      process.execPath,
      [
        path.join(import.meta.dirname, 'flood.mjs'),
        String(service.port),
        String(FLOOD_SECONDS),
        String(Math.ceil(bare * 50)),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let report = '';
    flood.stdout.on('data', (chunk) => (report += chunk));
    const flooded = new Promise((resolve) => flood.once('exit', resolve));
    await sleep(1000);
    const loaded = await refreshSteadily(service, tokens, FLOOD_SECONDS - 2, 20);
    await flooded;
    const attack = JSON.parse(report);
    const during = readProbe(probe);
    await service.stop();

    const delay = Math.max(...during.map(({ delayP99Ms }) => delayP99Ms));
    const rss = Math.max(...during.map(({ rssMb }) => rssMb));
    const hashBudgetMb = calm.rssMb + os.availableParallelism() * 19 + 96; // a hash each core, and V8's young generation at work
    printTable([
      ['flood', 'p50 ms', 'p99 ms', 'errors', 'refreshes'],
      ['calm', base.p50.toFixed(1), base.p99.toFixed(1), base.errors, base.count],
      ['under it', loaded.p50.toFixed(1), loaded.p99.toFixed(1), loaded.errors, loaded.count],
    ]);
    process.stdout.write(
      `wrong sign-ins: offered ${attack.offered} (${attack.offeredPerSecond}/s; the machine hashes ${bare.toFixed(0)}/s), answered ${JSON.stringify(attack.statuses)}, slowest ${attack.slowestMs} ms\n`,
    );
    process.stdout.write(`event-loop delay p99 ${delay.toFixed(1)} ms, resident memory ${calm.rssMb} → ${rss} MB\n`);
    budgets.push(
      {
        what: `refresh p99 under the flood: ${(loaded.p99 / base.p99).toFixed(2)} ≤ 3 times its calm one, ${loaded.errors} errors`,
        met: loaded.p99 <= 3 * base.p99 && loaded.errors === 0,
      },
      { what: `event-loop delay p99: ${delay.toFixed(1)} < 50 ms`, met: delay < 50 },
      { what: `resident memory: ${rss} ≤ ${hashBudgetMb} MB`, met: rss <= hashBudgetMb },
      { what: `the slowest sign-in answer: ${attack.slowestMs} < 2500 ms`, met: attack.slowestMs < 2500 },
    );
  });
}

/** 200 interleaved pairs each: a wrong password for a known name against an unknown name, in every state of an account. */
async function measureTiming() {
  const PAIRS = 200;
  await withDatabase(async (databaseUrl) => {
    const service = await startService(databaseUrl);
    const unknownName = () => `n${randomBytes(8).toString('hex')}`;
    const wrong = (username, ip) =>
      post(service, '/auth/login', { username, password: 'not the password' }, { 'x-forwarded-for': ip });
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();

    const rows = [];
    for (const state of ['active', 'disabled', 'locked']) {
      const { people } = await register(service, 50);
      if (state === 'disabled')
        await client.query('update users set is_active = false where username = any($1)', [people]);
      const nobody = Array.from({ length: 50 }, unknownName);
      if (state === 'locked') {
        for (const name of [...people, ...nobody])
          for (let time = 0; time < 5; time++) await wrong(name, '198.51.100.1');
      }
      const times = { known: [], unknown: [] };
      for (let pair = -20; pair < PAIRS; pair++) {
        // Each name once a network, so that none is locked unless it is to be.
        const ip = state === 'locked' ? '198.51.100.1' : `203.0.${(pair + 20) >> 8}.${(pair + 20) & 255}`;
        const known = people[(pair + 20) % 50];
        const unknown = state === 'locked' ? nobody[(pair + 20) % 50] : unknownName();
        const order = pair % 2 === 0 ? ['known', 'unknown'] : ['unknown', 'known'];
        const pairTimes = {};
        for (const kind of order) pairTimes[kind] = (await wrong(kind === 'known' ? known : unknown, ip)).ms;
        if (pair < 0) continue; // warm-up
        times.known.push(pairTimes.known);
        times.unknown.push(pairTimes.unknown);
      }
      const [known, unknown] = [median(times.known), median(times.unknown)];
      const p = mannWhitney(times.known, times.unknown);
      rows.push([
        state,
        known.toFixed(2),
        unknown.toFixed(2),
        `${(100 * (known / unknown - 1)).toFixed(1)} %`,
        p.toFixed(3),
      ]);
      budgets.push({
        what: `${state}: medians ${Math.abs(100 * (known / unknown - 1)).toFixed(1)} % apart ≤ 5 %, p = ${p.toFixed(3)} > 0.01`,
        met: Math.abs(known / unknown - 1) <= 0.05 && p > 0.01,
      });
    }
    await client.end();
    await service.stop();
    printTable([['wrong password', 'known ms', 'unknown ms', 'apart', 'p'], ...rows]);
  });
}

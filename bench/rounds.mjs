// Two servers, the service and its floor, on one PostgreSQL, driven in turn: what the benches of rates share.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import {
  answers,
  cpuMicros,
  familyCpuMicros,
  freePort,
  median,
  printTable,
  projectRoot,
  spread,
  startNode,
} from './support.mjs';

const SLICE_MS = 500;

export const ORIGIN = 'https://auth.bench.test';
export const serviceScript = path.join(projectRoot, 'dist/cli.js');
export const serviceArgs = [serviceScript, 'serve'];
export const socketFolderOf = (databaseUrl) => decodeURIComponent(/host=([^&]+)/.exec(databaseUrl)[1]);

const secrets = { MASTER_SECRET: randomBytes(48).toString('base64'), JWT_SECRET: randomBytes(48).toString('base64') };

/** The environment of the service, and of what plays its floor: both have the same secrets. */
export const settingsOn = (databaseUrl, socketFolder = socketFolderOf(databaseUrl)) => ({
  ...secrets,
  NODE_ENV: 'production',
  LOG_LEVEL: 'info',
  HOST: '127.0.0.1',
  PUBLIC_URL: ORIGIN,
  DB_HOST: socketFolder,
  DB_PASSWORD: /:([^:@]+)@/.exec(databaseUrl)[1],
  DB_NAME: 'postgres',
});

/** Starts a server of one arm and waits until it is ready. */
export async function startServer(name, args, settings) {
  const port = await freePort();
  const server = startNode(args, { ...settings, PORT: String(port) });
  await answers(`http://127.0.0.1:${port}/health/ready`, server.exited, 20);
  return { name, port, ...server };
}

/** The process of the embedded PostgreSQL in `folder`. */
export const postmasterOf = (folder) =>
  Number(fs.readFileSync(path.join(folder, 'postgres/pg18/postmaster.pid'), 'utf8').split('\n')[0]);

/** Adds one slice of one arm to `sum`: what was answered, in which time, and the CPU that it took. */
async function addSlice(sum, server, load, postmaster) {
  const before = { server: cpuMicros(server.pid), database: familyCpuMicros(postmaster), driver: process.cpuUsage() };
  const { done, seconds: took } = await load(server, { ms: SLICE_MS });
  const driver = process.cpuUsage(before.driver);
  sum.done += done;
  sum.seconds += took;
  sum.server += cpuMicros(server.pid) - before.server;
  sum.database += familyCpuMicros(postmaster) - before.database;
  sum.driver += driver.user + driver.system;
}

/** One round: both arms in turn, slice by slice, so that other work on the machine meets both alike. */
async function playRound([first, second], load, seconds, postmaster) {
  const sums = Object.fromEntries(
    [first, second].map(({ name }) => [name, { done: 0, seconds: 0, server: 0, database: 0, driver: 0 }]),
  );
  for (let slice = 0; slice < (seconds * 1000) / SLICE_MS; slice++) {
    for (const server of slice % 2 === 0 ? [first, second] : [second, first]) {
      await addSlice(sums[server.name], server, load, postmaster);
    }
  }
  return Object.fromEntries(
    Object.entries(sums).map(([name, { done, seconds: took, server, database, driver }]) => [
      name,
      { rate: done / took, serverMicros: server / done, databaseMicros: database / done, driverMicros: driver / done },
    ]),
  );
}

/**
 * Plays rounds of the two arms, prints what came of them, and returns the ratio of each round.
 * `load(server, { ms })` drives one for so long, and resolves with how many were answered in how many seconds.
 */
export async function compare({ service, floor, load, rounds, seconds, postmaster, what, warmUpMs = 3000 }) {
  for (const server of [service, floor]) await load(server, { ms: warmUpMs });
  const results = { service: [], floor: [] };
  const table = [['round', 'service/s', 'floor/s', 'ratio']];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [service, floor] : [floor, service];
    const played = await playRound(order, load, seconds, postmaster);
    for (const [name, result] of Object.entries(played)) results[name].push(result);
    const [mine, bare] = [results.service[round], results.floor[round]];
    table.push([round + 1, mine.rate.toFixed(0), bare.rate.toFixed(0), (mine.rate / bare.rate).toFixed(3)]);
  }
  printTable(table);
  process.stdout.write('\n');
  printTable([
    ['median (range)', `${what}/s`, 'server CPU µs', 'database CPU µs', 'driver CPU µs'],
    ...Object.entries(results).map(([name, of]) => [
      name,
      ...['rate', 'serverMicros', 'databaseMicros', 'driverMicros'].map((member) =>
        spread(of.map((one) => one[member])),
      ),
    ]),
  ]);
  return results.service.map(({ rate }, round) => rate / results.floor[round].rate);
}

/** Whether the median of the ratios is at least `least`, as a budget. */
export const rateBudget = (what, ratios, least) => ({
  what: `${what} rate ${spread(ratios, 3)} of the floor, at least ${least}`,
  met: median(ratios) >= least,
});

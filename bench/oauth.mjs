// Measures what services ask of the service, against a floor (oauth-floor.mjs): bare node:http with the same pool,
// statements, token format and signature, on one embedded PostgreSQL with durable settings. 16 clients, each with one
// keep-alive connection.
//   token          tokens a second by client_credentials, one audit row each;
//   introspection  introspections a second of a service's own token;
//   timing         whether the time of a refusal tells a client that there is from one that there is not.
// Budgets: the medians of the rounds' ratios are at least 0.7; medians within 5 % of each other and Mann-Whitney p > 0.01.
//
// node bench/oauth.mjs [rounds, default 6] [seconds a round and arm, default 4]
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { drive } from './load.mjs';
import { compare, postmasterOf, rateBudget, serviceArgs, serviceScript, settingsOn, startServer } from './rounds.mjs';
import { judge, mannWhitney, median, printMachine, printTable, temporaryFolder } from './support.mjs';

const [rounds = 6, seconds = 4] = process.argv.slice(2).map(Number);
const CONNECTIONS = 16;
const CLIENTS = 4;
const MIN_RATIO = 0.7;
const PAIRS = 400;
const floorScript = path.join(import.meta.dirname, 'oauth-floor.mjs');

/** A form as HTTP/1.1 text. */
const post = (route, authorization, body) =>
  `POST ${route} HTTP/1.1\r\nHost: auth.bench.test\r\nConnection: keep-alive\r\nAccept: application/json\r\n` +
  `User-Agent: node\r\nAuthorization: ${authorization}\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
  `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

async function newClient(name, settings) {
  const args = [
    serviceScript,
    '--json',
    'clients',
    'create',
    name,
    '-s',
    'invoices:read',
    '-a',
    'https://invoices.test',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { PATH: process.env.PATH, ...settings },
  });
  const { client_id, client_secret } = JSON.parse(stdout);
  return { id: client_id, authorization: basic(client_id, client_secret) };
}

/** Drives one request of each client over and over; `expected` begins every answer. */
const loadOf = (requests, expected) => (server, limit) =>
  drive({
    port: server.port,
    connections: CONNECTIONS,
    ...limit,
    next: (index) => requests[index % requests.length],
    answered(_index, _head, body) {
      if (!body.startsWith(expected)) throw new Error(`not ${expected}: ${body}`);
    },
  });

async function tokenOf(server, authorization) {
  const response = await fetch(`http://127.0.0.1:${server.port}/oauth/token`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return (await response.json()).access_token;
}

/** Interleaved pairs of wrong secrets: for a client that there is, and for one that there is not. */
async function measureTiming(server, clients) {
  const refused = async (id) => {
    const headers = { authorization: basic(id, randomBytes(32).toString('base64url')) };
    const begun = performance.now();
    const response = await fetch(`http://127.0.0.1:${server.port}/oauth/introspect`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ token: 'x' }),
    });
    await response.text();
    if (response.status !== 401) throw new Error(`not refused: ${response.status}`);
    return performance.now() - begun;
  };
  const times = { known: [], unknown: [] };
  for (let pair = -50; pair < PAIRS; pair++) {
    const ids = { known: clients[Math.abs(pair) % clients.length].id, unknown: randomUUID() };
    for (const kind of pair % 2 === 0 ? ['known', 'unknown'] : ['unknown', 'known']) {
      const ms = await refused(ids[kind]);
      if (pair >= 0) times[kind].push(ms);
    }
  }
  const [known, unknown] = [median(times.known), median(times.unknown)];
  const p = mannWhitney(times.known, times.unknown);
  const apart = Math.abs(known / unknown - 1);
  printTable([
    ['wrong secret', 'known ms', 'unknown ms', 'p'],
    ['introspection', known.toFixed(2), unknown.toFixed(2), p.toFixed(3)],
  ]);
  return {
    what: `refusals: medians ${(100 * apart).toFixed(1)} % apart ≤ 5 %, p = ${p.toFixed(3)} > 0.01`,
    met: apart <= 0.05 && p > 0.01,
  };
}

const folder = temporaryFolder();
const postgres = await startEmbeddedPostgres(path.join(folder, 'postgres'));
const running = [];
try {
  printMachine();
  const settings = { ...settingsOn(postgres.ownerUrl), THROTTLE_CLIENT: 'off' };
  const service = await startServer('service', serviceArgs, settings);
  running.push(service);
  const floor = await startServer('floor', [floorScript], settings);
  running.push(floor);
  const clients = [];
  for (let index = 0; index < CLIENTS; index++) clients.push(await newClient(`client-${index}`, settings));
  const how = { service, floor, rounds, seconds, postmaster: postmasterOf(folder) };

  const grants = clients.map(({ authorization }) =>
    post('/oauth/token', authorization, 'grant_type=client_credentials'),
  );
  const tokenRatios = await compare({ ...how, load: loadOf(grants, '{"access_token":"'), what: 'tokens' });

  process.stdout.write('\n');
  const questions = [];
  for (const { authorization } of clients)
    questions.push(post('/oauth/introspect', authorization, `token=${await tokenOf(service, authorization)}`));
  const load = loadOf(questions, '{"active":true');
  const introspectionRatios = await compare({ ...how, load, what: 'introspections' });

  process.stdout.write('\n');
  const timing = await measureTiming(service, clients);
  judge([
    rateBudget('token', tokenRatios, MIN_RATIO),
    rateBudget('introspection', introspectionRatios, MIN_RATIO),
    timing,
  ]);
} finally {
  for (const server of running) await server.stop();
  await postgres.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}

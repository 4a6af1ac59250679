// Measures refreshes a second of the service against a floor (floor-server.mjs): bare node:http
// with the same pool, statement, token formats and signature. 16 browsers, each with a cookie chain
// of its own and one keep-alive connection, which both servers carry on in turn, on one embedded
// PostgreSQL with durable settings. Throttling and the request log are on.
// Budgets: the median of the rounds' ratios is at least 0.7; a refresh is one round trip to PostgreSQL.
//
// node bench/refresh.mjs [rounds, default 6] [seconds a round and arm, default 4]
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { drive } from './load.mjs';
import {
  compare,
  ORIGIN,
  postmasterOf,
  rateBudget,
  serviceArgs,
  settingsOn,
  socketFolderOf,
  startServer,
} from './rounds.mjs';
import { judge, printMachine, temporaryFolder } from './support.mjs';

const [rounds = 6, seconds = 4] = process.argv.slice(2).map(Number);
const USERS = 16;
const MIN_RATIO = 0.7;
const COUNTED = 40;
const WINDOWS = 5;
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';

const floorScript = path.join(import.meta.dirname, 'floor-server.mjs');
const settings = (databaseUrl, socketFolder) => ({
  ...settingsOn(databaseUrl, socketFolder),
  THROTTLE_REFRESH: '1000000/60',
});

/** A browser that has registered: its cookies, and the request that it sends next. */
async function newBrowser(port, index) {
  const jar = {};
  const headers = () => ({
    origin: ORIGIN,
    'user-agent': AGENT,
    cookie: Object.entries(jar)
      .map((pair) => pair.join('='))
      .join('; '),
  });
  const take = (response) => {
    if (!response.ok) throw new Error(`the service answered ${response.status}`);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      jar[name] = value;
    }
  };
  const url = `http://127.0.0.1:${port}/auth`;
  take(await fetch(`${url}/csrf`, { headers: headers() }));
  const body = {
    username: `user-${index}`,
    email: `user-${index}@bench.test`,
    password: randomBytes(15).toString('base64url'),
  };
  take(
    await fetch(`${url}/register`, {
      method: 'POST',
      headers: { ...headers(), 'x-csrf-token': jar['XSRF-TOKEN'], 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
  const fixed =
    `POST /auth/refresh HTTP/1.1\r\nHost: auth.bench.test\r\nConnection: keep-alive\r\nUser-Agent: ${AGENT}\r\n` +
    `Accept: application/json\r\nAccept-Language: en\r\nOrigin: ${ORIGIN}\r\nSec-Fetch-Site: same-origin\r\n` +
    `X-CSRF-Token: ${jar['XSRF-TOKEN']}\r\nContent-Length: 0\r\nCookie: device=${jar.device}; XSRF-TOKEN=${jar['XSRF-TOKEN']}; refresh_token=`;
  return {
    request: () => `${fixed}${jar.refresh_token}\r\n\r\n`,
    take(head, body) {
      const value = /\r\nset-cookie: refresh_token=([^;]+); Max-Age=/i.exec(head)?.[1];
      if (value === undefined || value === jar.refresh_token) throw new Error(`no new refresh token:\n${head}`);
      if (!body.startsWith('{"access_token":"')) throw new Error(`no access token: ${body}`);
      jar.refresh_token = value;
    },
  };
}

const refreshes = (server, browsers, limit) =>
  drive({
    port: server.port,
    connections: browsers.length,
    ...limit,
    next: (index) => browsers[index].request(),
    answered: (index, head, body) => browsers[index].take(head, body),
  });

/** A PostgreSQL socket in front of another that counts the messages from the client, by their type. */
async function countingProxy(socketFile, folder) {
  const counts = new Map();
  fs.mkdirSync(folder);
  const proxy = net.createServer((client) => {
    const upstream = net.connect(socketFile);
    let pending = Buffer.alloc(0);
    let started = false; // the first message has no type
    client.on('data', (chunk) => {
      upstream.write(chunk);
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const typed = started ? 1 : 0;
        if (pending.length < typed + 4) return;
        const length = typed + pending.readUInt32BE(typed);
        if (pending.length < length) return;
        const type = started ? String.fromCharCode(pending[0]) : 'startup';
        counts.set(type, (counts.get(type) ?? 0) + 1);
        started = true;
        pending = pending.subarray(length);
      }
    });
    upstream.on('data', (chunk) => client.write(chunk));
    const close = () => [client, upstream].forEach((socket) => socket.destroy());
    for (const socket of [client, upstream]) socket.on('close', close).on('error', close);
  });
  await new Promise((resolve) => proxy.listen(path.join(folder, '.s.PGSQL.5432'), resolve));
  return { counts, close: () => proxy.close() };
}

/**
 * What one refresh sends to PostgreSQL, by message type, after a warm-up: the middle one of a few windows of `COUNTED` refreshes, since
 * once a second the service also asks for keys and revocations.
 */
async function messagesOf(databaseUrl, folder) {
  const proxyFolder = path.join(folder, 'proxy');
  const proxy = await countingProxy(path.join(socketFolderOf(databaseUrl), '.s.PGSQL.5432'), proxyFolder);
  const server = await startServer('service', serviceArgs, settings(databaseUrl, proxyFolder));
  try {
    const browsers = [await newBrowser(server.port, 'counted')];
    await refreshes(server, browsers, { count: 50 });
    const windows = [];
    for (let window = 0; window < WINDOWS; window++) {
      proxy.counts.clear();
      const { done } = await refreshes(server, browsers, { count: COUNTED });
      windows.push(Object.fromEntries([...proxy.counts].map(([type, count]) => [type, count / done])));
    }
    return windows.toSorted((a, b) => sumOf(a) - sumOf(b))[WINDOWS >> 1];
  } finally {
    await server.stop();
    proxy.close();
  }
}

const sumOf = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

const folder = temporaryFolder();
const postgres = await startEmbeddedPostgres(path.join(folder, 'postgres'));
const running = [];
try {
  printMachine();
  const service = await startServer('service', serviceArgs, settings(postgres.ownerUrl));
  running.push(service);
  const floor = await startServer('floor', [floorScript], settings(postgres.ownerUrl));
  running.push(floor);
  const browsers = await Promise.all(Array.from({ length: USERS }, (_, index) => newBrowser(service.port, index)));
  const ratios = await compare({
    service,
    floor,
    load: (server, limit) => refreshes(server, browsers, limit),
    rounds,
    seconds,
    postmaster: postmasterOf(folder),
    what: 'refreshes',
  });
  for (const server of running.splice(0)) await server.stop();

  const messages = await messagesOf(postgres.ownerUrl, folder);
  process.stdout.write(
    `\nmessages to PostgreSQL for each of ${COUNTED} refreshes: ${JSON.stringify(messages)} (B bind, D describe, E execute, S sync)\n`,
  );
  judge([
    rateBudget('refresh', ratios, MIN_RATIO),
    {
      what: 'a refresh is one execute and one sync, and neither parses nor begins a transaction',
      met: messages.E === 1 && messages.S === 1 && !messages.P && !messages.Q,
    },
  ]);
} finally {
  for (const server of running) await server.stop();
  await postgres.stop();
  fs.rmSync(folder, { recursive: true, force: true });
}

// How long after the 200 of a sign-out a verifier in another process refuses the token: two replicas, the verifier
// follows the one, the sign-outs go to the other. The same where no notification is sent, so that replicas find the
// entry by looking. And what 500 subscribers of one replica cost it in memory.
//
// node bench/revocation.mjs [revocations]
import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { Replicas } from './replicas.mjs';
import { judge, printMachine, printTable, residentMb } from './support.mjs';

const COUNT = Number(process.argv[2] ?? 1000);
const UNNOTIFIED = 20;
const SUBSCRIBERS = 500;
const PASSWORD = 'correct-horse-battery';

printMachine();
const replicas = await Replicas.start(2, { SESSIONS_PER_USER: '10000' });
const [one, two] = replicas.services;
const { clientId, clientSecret } = await replicas.client('bench');
const username = `u${randomBytes(6).toString('hex')}`;
const registered = await one.post('/auth/register', { username, email: `${username}@example.com`, password: PASSWORD });
if (registered.status !== 201) throw new Error(`registration was answered ${registered.status}`);

const child = fork(path.join(import.meta.dirname, 'verifier-process.mjs'), [
  JSON.stringify({
    issuer: replicas.env.JWT_ISSUER,
    audience: 'latchkey',
    keys: [{ alg: 'HS256', secret: replicas.env.JWT_SECRET }],
    revocations: { url: two.url, clientId, clientSecret },
  }),
]);
const heard = () => new Promise((resolve) => child.once('message', resolve));
await heard();

/** Signs in, has the token watched, revokes it, and says how many milliseconds the refusal came after. */
async function measure(revoke) {
  const { body } = await one.post('/auth/login', { username, password: PASSWORD });
  const watching = heard();
  child.send({ token: body.access_token });
  await watching;
  const refused = heard();
  await revoke(body);
  const acknowledged = process.hrtime.bigint();
  const { refusedAt, code } = await refused;
  if (code !== 'token_revoked') throw new Error(`refused as ${code}`);
  return Math.max(0, Number(BigInt(refusedAt) - acknowledged) / 1e6);
}
const quantile = (times, share) =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))];

const notified = [];
for (let done = 0; done < COUNT; done++) {
  notified.push(
    await measure(async ({ refresh_token }) => {
      const { status } = await one.post('/auth/logout', { refresh_token });
      if (status !== 200) throw new Error(`a sign-out was answered ${status}`);
    }),
  );
}

const database = new pg.Client({ connectionString: replicas.database.ownerUrl });
await database.connect();
const found = [];
for (let done = 0; done < UNNOTIFIED; done++) {
  found.push(
    await measure(async ({ access_token }) => {
      const { sid } = JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url').toString());
      await database.query(
        `insert into revocations (id, kind, subject, reason, revoked_at, expires_at)
         values ($1, 'session', $2, 'logout', now(), now() + interval '15 minutes')`,
        [randomUUID(), sid],
      );
    }),
  );
}
await database.end();
child.kill();

const before = residentMb(one.process.pid);
const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
const streams = [];
for (let index = 0; index < SUBSCRIBERS; index++)
  streams.push(
    await new Promise((resolve, reject) =>
      http
        .get(`${one.url}/revocations/stream`, { headers: { authorization }, agent: false }, (response) => {
          response.resume();
          resolve(response);
        })
        .once('error', reject),
    ),
  );
await sleep(11_000); // two syncs for each
const after = residentMb(one.process.pid);
for (const stream of streams) stream.destroy();
await replicas.stop();

printTable([
  ['', 'revocations', 'p50 ms', 'p99 ms', 'longest ms'],
  ...[
    ['notified', notified],
    ['found by looking', found],
  ].map(([name, times]) => [
    name,
    String(times.length),
    ...[quantile(times, 0.5), quantile(times, 0.99), Math.max(...times)].map((time) => time.toFixed(1)),
  ]),
]);
process.stdout.write(`${SUBSCRIBERS} subscribers: ${before} → ${after} MB\n`);
judge([
  { what: `p50 ${quantile(notified, 0.5).toFixed(1)} ms, less than 20`, met: quantile(notified, 0.5) < 20 },
  { what: `p99 ${quantile(notified, 0.99).toFixed(1)} ms, less than 250`, met: quantile(notified, 0.99) < 250 },
  { what: `without notifications ${Math.max(...found).toFixed(0)} ms, less than 1500`, met: Math.max(...found) < 1500 },
  { what: `500 subscribers cost ${after - before} MB, at most 60`, met: after - before <= 60 },
]);

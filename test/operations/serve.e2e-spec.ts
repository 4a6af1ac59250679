import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import request from 'supertest';

import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { eventually, ServiceProcess } from '../support/service-process.js';
import { temporaryFolders } from '../support/temporary-folders.js';
import { createTestDatabase } from '../support/test-database.js';

const folder = temporaryFolders();
const person = { username: 'ada', email: 'ada@example.com', password: 'correct-horse-battery' };
const post = (url: string, route: string, body: object) =>
  request(url).post(route).set('X-Auth-Transport', 'body').send(body);

describe('latchkey serve', () => {
  const started: ServiceProcess[] = [];
  const serve = (env: NodeJS.ProcessEnv, options?: Parameters<typeof ServiceProcess.start>[1]) => {
    const service = ServiceProcess.start({ PORT: '0', ...env }, options);
    started.push(service);
    return service;
  };
  afterEach(async () => {
    for (const service of started.splice(0)) if (service.child.exitCode === null) await service.stop('SIGKILL');
  });

  it('works with nothing set, in a folder whose path has a space, and tells what to try', async () => {
    const cwd = folder('latchkey with a space-');
    const service = serve({}, { cwd });
    const url = await service.url();
    await post(url, '/auth/register', person).expect(201);
    await eventually(async () => Promise.resolve(service.text.includes(`Try it     `)));
    expect(service.text).toContain('/docs');
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(fs.existsSync(path.join(cwd, 'data/jwt_secret'))).toBe(true);
  });

  it('loses nothing to kill -9, and starts again at once', async () => {
    const DATA_DIR = folder();
    const first = serve({ DATA_DIR });
    const { body } = await post(await first.url(), '/auth/register', person).expect(201);
    await first.stop('SIGKILL');
    const second = serve({ DATA_DIR });
    const url = await second.url();
    await post(url, '/auth/refresh', { refresh_token: body.refresh_token }).expect(200);
    await post(url, '/auth/login', { username: 'ada', password: person.password }).expect(200);
  });

  it('runs twice at once in two folders, and says so where one folder is in use', async () => {
    const [here, there] = [folder(), folder()];
    const services = [serve({ DATA_DIR: here }), serve({ DATA_DIR: there })];
    for (const service of services)
      await request(await service.url())
        .get('/health/ready')
        .expect(200);
    const third = serve({ DATA_DIR: here });
    expect((await third.exited).code).toBe(1);
    expect(third.text).toMatch(/latchkey: the embedded database in .* is in use/);
    await request(await services[0].url())
      .get('/health/ready')
      .expect(200);
  });

  it('says in plain words that the port is taken, and leaves nothing running', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as net.AddressInfo;
    const DATA_DIR = folder();
    const service = serve({ DATA_DIR, PORT: String(port) });
    expect((await service.exited).code).toBe(1);
    expect(service.text).toContain(`latchkey: port ${port} is taken by another program`);
    taken.close();
    const next = serve({ DATA_DIR });
    await request(await next.url())
      .get('/health/ready')
      .expect(200);
  });

  it('lists every mistake of the configuration, shows no value, and exits', async () => {
    const service = serve({ PORT: 'http-leaked', THROTTLE_LOGIN: 'leaked' });
    expect((await service.exited).code).toBe(1);
    expect(service.text).toMatch(/latchkey: The configuration has 2 mistakes:\n {2}- PORT .*\n {2}- THROTTLE_LOGIN /);
    expect(service.text).not.toContain('leaked');
  });

  it('finishes what it has begun on SIGTERM, then exits 0', async () => {
    const service = serve({ DATA_DIR: folder() });
    const url = await service.url();
    await post(url, '/auth/register', person).expect(201);
    const logins = Array.from({ length: 6 }, async () =>
      post(url, '/auth/login', { username: 'ada', password: person.password }),
    );
    for (const login of logins) void login.catch(() => {});
    await eventually(async () => Promise.resolve(service.text.split('"path":"/auth/login"').length > 1));
    const exited = service.stop();
    const answers = await Promise.all(logins);
    expect(answers.filter(({ status }) => status === 200 || status === 429)).toHaveLength(6);
    expect(await exited).toEqual({ code: 0, signal: null });
  });

  it('listens without its database, is live but not ready, and recovers by itself', async () => {
    const root = path.join(folder(), 'postgres');
    const database = await startEmbeddedPostgres(root, { durable: false });
    await database.stop();
    const service = serve({ DATABASE_URL: database.ownerUrl, DATA_DIR: folder() });
    const url = await service.url();
    await request(url).get('/health/live').expect(200);
    await request(url).get('/health/ready').expect(503);
    const { body, headers } = await post(url, '/auth/login', { username: 'ada', password: person.password }).expect(
      503,
    );
    expect(body.code).toBe('overloaded');
    expect(headers['retry-after']).toBeDefined();
    const again = await startEmbeddedPostgres(root, { durable: false });
    await eventually(async () => (await request(url).get('/health/ready')).status === 200);
    const { body: registered } = await post(url, '/auth/register', person).expect(201);
    // And once more, with connections open.
    await again.stop();
    await request(url).get('/health/ready').expect(503);
    await post(url, '/auth/refresh', { refresh_token: registered.refresh_token }).expect(503);
    const third = await startEmbeddedPostgres(root, { durable: false });
    await eventually(async () => (await request(url).get('/health/ready')).status === 200);
    await post(url, '/auth/refresh', { refresh_token: registered.refresh_token }).expect(200);
    expect(service.child.exitCode).toBeNull();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    await third.stop();
  }, 60_000);

  it('logs JSON lines that hold no secret', async () => {
    const env = {
      MASTER_SECRET: 'p7Qm2xV9bK4nT6rY8wZ1cE3fH5jL0sDu',
      JWT_SECRET: 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA',
      LOG_LEVEL: 'trace',
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://auth.example.com',
    };
    const { url: DATABASE_URL, drop } = await createTestDatabase();
    const service = serve({ ...env, DATABASE_URL, HOST: '127.0.0.1' });
    const url = await service.url();
    await eventually(async () => (await request(url).get('/health/ready')).status === 200);
    const { body } = await post(url, '/auth/register', person).expect(201);
    await post(url, '/auth/refresh?refresh_token=in-the-query', { refresh_token: body.refresh_token }).set(
      'Cookie',
      'refresh_token=in-a-cookie',
    );
    await request(url).get('/auth/me').set('Authorization', `Bearer ${body.access_token}`).expect(200);
    await service.stop();
    const lines = service.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.filter(({ message }) => message === 'request').length).toBeGreaterThanOrEqual(3);
    for (const secret of [
      ...Object.values(env).slice(0, 2),
      person.password,
      body.access_token,
      body.refresh_token,
      'in-the-query',
      'in-a-cookie',
      DATABASE_URL,
    ]) {
      expect(service.text).not.toContain(secret);
    }
    await drop();
  });
});

describe('latchkey migrate', () => {
  it('says what it applied, then that nothing is left', async () => {
    const DATA_DIR = folder();
    const first = ServiceProcess.start({ DATA_DIR }, { args: ['migrate'] });
    expect((await first.exited).code).toBe(0);
    expect(first.text).toMatch(/Applied:\n {2}create-roles-\d+\n/);
    const second = ServiceProcess.start({ DATA_DIR }, { args: ['migrate'] });
    expect((await second.exited).code).toBe(0);
    expect(second.text).toContain('Nothing to do');
    const third = ServiceProcess.start({ DATA_DIR }, { args: ['--json', 'migrate'] });
    expect((await third.exited).code).toBe(0);
    expect(JSON.parse(third.text)).toEqual({ applied: [] });
  });
});

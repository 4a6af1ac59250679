import { execFile } from 'node:child_process';
import fs, { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import request from 'supertest';

import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { FeedReader } from '../support/feed-reader.js';
import { eventually, ServiceProcess } from '../support/service-process.js';

const secrets = { MASTER_SECRET: 'mJ4rT8yN2mQ6wX1cB5hL9pS3dF7gAkZ0v', JWT_SECRET: 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA' };
const person = { username: 'ada', email: 'ada@example.com', password: 'correct-horse-battery' };

describe('the revocation feed under faults', () => {
  const started: ServiceProcess[] = [];
  let folder: string;
  let database: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'latchkey-feed-'));
    fs.chmodSync(folder, 0o755);
    database = await startEmbeddedPostgres(path.join(folder, 'postgres'));
  });
  afterEach(async () => {
    for (const service of started.splice(0)) if (service.child.exitCode === null) await service.stop('SIGKILL');
  });
  afterAll(async () => {
    await database.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const env = () => ({ PORT: '0', DATABASE_URL: database.ownerUrl, ...secrets });
  const serve = (options = {}) => {
    const service = ServiceProcess.start({ ...env(), ...options });
    started.push(service);
    return service;
  };
  /** The address of a service that has its database. */
  const ready = async (service: ServiceProcess): Promise<string> => {
    const url = await service.url();
    await eventually(async () => (await request(url).get('/health/ready')).status === 200);
    return url;
  };
  const client = async (name: string): Promise<string> => {
    const args = [path.resolve('dist/cli.js'), '--json', 'clients', 'create', name];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { PATH: process.env.PATH, ...env() },
    });
    const { client_id, client_secret } = JSON.parse(stdout) as Record<string, string>;
    return `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`;
  };
  const signIn = async (url: string) => {
    const name = `u${Math.floor(performance.now() * 1000)}`;
    const body = { ...person, username: name, email: `${name}@example.com` };
    const answer = await request(url).post('/auth/register').set('X-Auth-Transport', 'body').send(body).expect(201);
    const { access_token, refresh_token } = answer.body as Record<string, string>;
    return { refresh_token, sid: JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url').toString()).sid };
  };
  const signOut = (url: string, refresh_token: string) =>
    request(url).post('/auth/logout').set('X-Auth-Transport', 'body').send({ refresh_token }).expect(200);

  it('is told to clients that the command makes; a name twice is refused', async () => {
    const authorization = await client('billing');
    const url = await ready(serve());
    await request(url).get('/revocations').set('Authorization', authorization).expect(200);
    await expect(client('billing')).rejects.toThrow('Another client has this name');
  });

  it('keeps what was acknowledged before kill -9', async () => {
    const authorization = await client('killed');
    const first = serve();
    const url = await ready(first);
    const { refresh_token, sid } = await signIn(url);
    await signOut(url, refresh_token);
    await first.stop('SIGKILL');
    const reader = await FeedReader.open(await ready(serve()), authorization);
    expect((await reader.heard(sid)).reason).toBe('logout');
    reader.close();
  });

  it('goes on at another replica where one is killed, by the last id', async () => {
    const authorization = await client('moved');
    const [first, second] = [serve(), serve()];
    const urls = await Promise.all([ready(first), ready(second)]);
    const reader = await FeedReader.open(urls[0], authorization);
    await reader.synced();
    const one = await signIn(urls[1]);
    await signOut(urls[1], one.refresh_token);
    await reader.heard(one.sid);
    const lastId = reader.events.at(-1)!.id;
    await first.stop('SIGKILL');
    await eventually(() => Promise.resolve(reader.ended));
    const two = await signIn(urls[1]);
    await signOut(urls[1], two.refresh_token);
    const resumed = await FeedReader.open(urls[1], authorization, lastId);
    await resumed.heard(two.sid);
    resumed.close();
  });

  it('falls silent while the database is away, and heals by itself', async () => {
    const authorization = await client('patient');
    const service = serve();
    const url = await ready(service);
    const reader = await FeedReader.open(url, authorization);
    await reader.synced();
    await database.stop();
    await eventually(async () => (await request(url).get('/health/ready')).status === 503);
    const syncs = () => reader.events.filter(({ event }) => event === 'sync').length;
    const before = syncs();
    await new Promise((resolve) => setTimeout(resolve, 6000)); // longer than syncs are apart
    expect(syncs()).toBe(before);
    database = await startEmbeddedPostgres(path.join(folder, 'postgres'));
    await eventually(async () => (await request(url).get('/health/ready')).status === 200, 30);
    await eventually(() => Promise.resolve(syncs() > before), 15);
    const { refresh_token, sid } = await signIn(url);
    await signOut(url, refresh_token);
    await reader.heard(sid);
    expect(service.child.exitCode).toBeNull();
    reader.close();
  });

  it('ends its streams at SIGTERM, at once and in order', async () => {
    const authorization = await client('drained');
    const service = serve();
    const reader = await FeedReader.open(await ready(service), authorization);
    await reader.synced();
    const begun = performance.now();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(reader.ended).toBe(true);
  });
});

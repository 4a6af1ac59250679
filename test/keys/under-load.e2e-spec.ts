import { type ChildProcess, execFile, fork } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import request from 'supertest';

import { eventually, ServiceProcess } from '../support/service-process.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const SECRETS = { MASTER_SECRET: 'mJ4rT8yN2mQ6wX1cB5hL9pS3dF7gAkZ0v', JWT_SECRET: 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA' };
const ISSUER = 'https://auth.example.com';
const OFF = { THROTTLE_LOGIN: 'off', THROTTLE_REFRESH: 'off', THROTTLE_DEFAULT: 'off' };
const PEOPLE = 4;

const kidOf = (token: string): string => JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString()).kid;

/** A service that verifies by itself, in another process. */
class VerifyingService {
  private readonly waiting = new Map<number, (answer: { code: string | null; at: number }) => void>();
  private asked = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (answer: { id: number; code: string | null; at: number }) => {
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
  }

  static async start(settings: object): Promise<VerifyingService> {
    const child = fork(path.join(import.meta.dirname, 'verifying-service.mjs'));
    child.send(settings);
    await new Promise((resolve) => child.once('message', resolve));
    return new VerifyingService(child);
  }

  verify(token: string): Promise<{ code: string | null; at: number }> {
    const id = (this.asked += 1);
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.child.send({ id, token });
    });
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

describe('two replicas and a service that verifies by itself', () => {
  let database: TestDatabase;
  let replicas: ServiceProcess[];
  let urls: string[];
  let verifying: VerifyingService;
  beforeAll(async () => {
    database = await createTestDatabase();
    replicas = [1, 2].map(() => ServiceProcess.start(env()));
    urls = await Promise.all(replicas.map((replica) => replica.url()));
    for (const url of urls) await eventually(async () => (await request(url).get('/health/ready')).status === 200);
    const { stdout } = await latchkey('--json', 'clients', 'create', 'billing');
    const { client_id: clientId, client_secret: clientSecret } = JSON.parse(stdout) as Record<string, string>;
    verifying = await VerifyingService.start({
      issuer: ISSUER,
      audience: 'latchkey',
      jwksUri: `${urls[0]}/.well-known/jwks.json`,
      revocations: { url: urls[1], clientId, clientSecret },
    });
  });
  afterAll(async () => {
    verifying?.stop();
    await Promise.all(replicas.map((replica) => replica.stop()));
    await database.drop();
  });

  const env = () => ({
    PORT: '0',
    DATABASE_URL: database.url,
    JWT_ISSUER: ISSUER,
    JWT_ALG: 'ES256',
    ...SECRETS,
    ...OFF,
  });
  const latchkey = (...args: string[]) =>
    promisify(execFile)(process.execPath, [path.resolve('dist/cli.js'), ...args], {
      env: { PATH: process.env.PATH, ...env() },
    });
  const json = async (...args: string[]) => JSON.parse((await latchkey('--json', ...args)).stdout);
  const api = (url: string, method: 'get' | 'post', route: string) =>
    request(url)[method](route).set('X-Auth-Transport', 'body');
  const register = async (name: string) => {
    const body = { username: name, email: `${name}@example.com`, password: 'correct-horse-battery' };
    return (await api(urls[0], 'post', '/auth/register').send(body).expect(201)).body as Record<string, string>;
  };

  it('refuse no good token while keys are made, activated and retired; and within a second all of one that is compromised', async () => {
    const refused: string[] = [];
    const kids = new Set<string>();
    let over = false;
    let verified = 0;
    const live = async (index: number) => {
      let { access_token, refresh_token } = await register(`person${index}`);
      while (!over) {
        kids.add(kidOf(access_token));
        const asked = await Promise.all([
          verifying.verify(access_token).then(({ code }) => code),
          ...urls.map(async (url) => {
            const { status, body } = await api(url, 'get', '/auth/me').set('Authorization', `Bearer ${access_token}`);
            return status === 200 ? null : `${status} ${(body as { code: string }).code}`;
          }),
        ]);
        verified += asked.length;
        refused.push(...asked.filter((code) => code !== null));
        const { status, body } = await api(urls[index % 2], 'post', '/auth/refresh').send({ refresh_token });
        if (status !== 200) refused.push(`refresh ${status}`);
        else ({ access_token, refresh_token } = body as Record<string, string>);
        await sleep(20); // the commands want a core as well
      }
    };
    const people = Array.from({ length: PEOPLE }, (_, index) => live(index));
    try {
      for (const algorithm of ['EdDSA', 'RS256']) {
        const before = (await json('keys', 'list')).find(({ state }: { state: string }) => state === 'signing').kid;
        const { kid } = await json('keys', 'generate', '--alg', algorithm);
        await json('keys', 'activate', kid, '--now'); // sooner than anybody should
        await eventually(() => Promise.resolve(kids.has(kid)));
        await json('keys', 'retire', before);
      }
    } finally {
      over = true;
      await Promise.all(people);
    }
    expect(refused).toEqual([]);
    expect(kids.size).toBe(3);
    expect(verified).toBeGreaterThan(200);

    const { access_token, refresh_token } = await register('lost');
    const lost = kidOf(access_token);
    expect((await verifying.verify(access_token)).code).toBeNull();
    const command = json('keys', 'retire', lost, '--compromised');
    let answer = await verifying.verify(access_token);
    while (answer.code === null) {
      await sleep(5);
      answer = await verifying.verify(access_token);
    }
    const { retired_at, now_signing } = await command;
    expect(answer.code).toBe('token_revoked: key');
    expect(answer.at - Date.parse(retired_at as string)).toBeLessThan(1000);
    for (const url of urls)
      await api(url, 'get', '/auth/me').set('Authorization', `Bearer ${access_token}`).expect(401);
    const refreshed = (await api(urls[1], 'post', '/auth/refresh').send({ refresh_token }).expect(200)).body;
    expect(now_signing).toEqual([kidOf(refreshed.access_token as string)]);
    expect((await verifying.verify(refreshed.access_token as string)).code).toBeNull();
  });

  it('show no key in any answer, log, metric or list', async () => {
    const { kid } = await json('keys', 'generate', '--alg', 'HS256');
    const exported = await json('keys', 'export', kid);
    const told = [
      ...replicas.map(({ text }) => text),
      JSON.stringify(await json('keys', 'list')),
      (await latchkey('keys', 'list')).stdout,
      ...(await Promise.all(
        urls.flatMap((url) =>
          ['/metrics', '/.well-known/jwks.json', '/openapi.yaml'].map(
            async (route) => (await request(url).get(route)).text,
          ),
        ),
      )),
    ].join('\n');
    expect(told).toContain(kid);
    for (const secret of [exported.k as string, ...Object.values(SECRETS)]) expect(told).not.toContain(secret);
    expect(told).not.toMatch(/"d":|"k":|"dp":|PRIVATE KEY/);
  });
});

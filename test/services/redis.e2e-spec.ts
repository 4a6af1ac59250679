import { type ChildProcess, spawn } from 'node:child_process';
import net from 'node:net';

import request from 'supertest';

import { freePort } from '../support/free-port.js';
import { eventually } from '../support/service-process.js';
import { TestApp } from '../support/test-app.js';

/** A Redis of the test's own, on a free port. */
class RedisServer {
  private child: ChildProcess;

  constructor(readonly port: number) {}

  async start(): Promise<void> {
    this.child = spawn(
      'redis-server',
      ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
      { stdio: 'ignore' },
    );
    await eventually(() => answers(this.port));
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended;
  }
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.on('data', () => resolve(true)).on('error', () => resolve(false));
    setTimeout(() => socket.destroy(), 500);
  });

describe('rate limits in Redis', () => {
  let redis: RedisServer;
  let one: TestApp;
  let other: TestApp;
  beforeAll(async () => {
    redis = new RedisServer(await freePort());
    await redis.start();
    const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}`, THROTTLE_LOGIN: '20/60', TRUST_PROXY: '1' };
    one = await TestApp.start(env);
    other = await TestApp.start(env);
    await new Promise((resolve) => setTimeout(resolve, 300)); // until both are connected
  });
  afterAll(async () => {
    await one.stop();
    await other.stop();
    await redis.signal('SIGKILL');
  });

  const login = (app: TestApp, ip: string) =>
    app.client().login({ username: 'nobody-here', password: 'not the password' }).set('X-Forwarded-For', ip);

  it('hold for two processes together: of 60 at once exactly 20 pass', async () => {
    const answersOfAll = await Promise.all(
      Array.from({ length: 60 }, async (_, at) => login(at % 2 ? one : other, '203.0.113.1')),
    );
    const limited = answersOfAll.filter(({ body }) => (body as { code: string }).code === 'rate_limited');
    expect(limited).toHaveLength(40);
    expect(Number(limited[0].headers['retry-after'])).toBeLessThanOrEqual(60);
  });

  it('cost little and never fail open while Redis stalls, and it is said once', async () => {
    await login(one, '203.0.113.2');
    await redis.signal('SIGSTOP');
    try {
      const begun = performance.now();
      const codes: string[] = [];
      for (let time = 0; time < 22; time++)
        codes.push(((await login(one, '203.0.113.3')).body as { code: string }).code);
      expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(2);
      expect(performance.now() - begun).toBeLessThan(22 * 1000);
      expect(one.log.split('Redis is away').length - 1).toBe(1);
    } finally {
      await redis.signal('SIGCONT');
    }
    await eventually(async () => {
      await login(one, '203.0.113.4');
      return one.log.includes('Redis is back');
    });
  });

  const degraded = async (app: TestApp) =>
    /^latchkey_rate_store_degraded (\d)$/m.exec((await request(app.url).get('/metrics')).text)?.[1];

  it('fall back to each process’s memory while Redis is gone, and come back', async () => {
    await redis.signal('SIGKILL');
    const codes: string[] = [];
    for (let time = 0; time < 21; time++)
      codes.push(((await login(other, '203.0.113.5')).body as { code: string }).code);
    expect(codes.at(-1)).toBe('rate_limited');
    expect(codes).not.toContain('internal_error');
    expect(await degraded(other)).toBe('1');
    await redis.start();
    await eventually(async () => {
      await login(other, '203.0.113.6');
      return other.log.includes('Redis is back');
    });
    expect(await degraded(other)).toBe('0');
  });
});

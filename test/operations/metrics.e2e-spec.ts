import { randomBytes } from 'node:crypto';

import request from 'supertest';

import { HashGate } from '../../src/common/hash-gate.js';
import { TestApp } from '../support/test-app.js';

const PRODUCTION = { NODE_ENV: 'production', PUBLIC_URL: 'https://auth.example.com' };

describe('GET /metrics', () => {
  let app: TestApp;
  afterEach(() => app.stop());
  const get = (authorization?: string) => {
    const asked = request(app.url).get('/metrics');
    return authorization === undefined ? asked : asked.set('Authorization', authorization);
  };

  it('tells of the process, the hash gate and the rate limits, and of no person', async () => {
    app = await TestApp.start();
    const { username, email } = await app.givenPerson();
    const { text, headers } = await get().expect(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(text).toMatch(new RegExp(`^${name} [\\d.e+-]+$`, 'm'));
    expect(text).toMatch(/^latchkey_hash_gate_running 0$/m);
    expect(text).toMatch(/^latchkey_hash_gate_waiting 0$/m);
    expect(text).toMatch(/^latchkey_hash_gate_refused_total 0$/m);
    expect(text).toMatch(/^latchkey_rate_store_degraded 0$/m);
    for (const private_ of [username, email, '127.0.0.1']) expect(text).not.toContain(private_);
  });

  it('counts whom the gate turned away', async () => {
    app = await TestApp.start();
    const gate = app.app.get(HashGate);
    const places = [];
    while (!gate.isFull) places.push(gate.reserve());
    await app.client().login({ username: 'nobody-here', password: 'not the password' }).expect(503);
    places.forEach((place) => place.leave());
    for (let time = 0; time < 2; time++) expect((await get()).text).toMatch(/^latchkey_hash_gate_refused_total 1$/m);
  });

  it('is not there in production without METRICS_TOKEN', async () => {
    app = await TestApp.start(PRODUCTION);
    const { body } = await get('Bearer undefined').expect(404);
    expect(body.code).toBe('not_found');
  });

  it.each([PRODUCTION, {}])('takes METRICS_TOKEN alone where it is set (%j)', async (env) => {
    const token = randomBytes(16).toString('hex');
    app = await TestApp.start({ ...env, METRICS_TOKEN: token });
    expect((await get().expect(401)).body.code).toBe('token_missing');
    expect((await get(`Basic ${token}`).expect(401)).body.code).toBe('token_missing');
    for (const wrong of [token.slice(1), `${token}0`, token.toUpperCase(), ''])
      expect((await get(`Bearer ${wrong}`)).status).toBe(401);
    await get(`Bearer ${token}`).expect(200);
    expect(app.log).not.toContain(token);
  });
});

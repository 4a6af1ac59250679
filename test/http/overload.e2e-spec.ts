import { once } from 'node:events';
import net from 'node:net';
import { promisify } from 'node:util';

import request from 'supertest';

import { HashGate } from '../../src/common/hash-gate.js';
import { eventually } from '../support/service-process.js';
import { TestApp } from '../support/test-app.js';

describe('a full password queue', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('turns sign-ins away at the door with the ordinary answer, and nothing else', async () => {
    const { browser } = await app.givenSignedIn();
    const ordinary = await request(app.url).get('/nothing');
    const gate = app.app.get(HashGate);
    const places = [];
    while (!gate.isFull) places.push(gate.reserve());
    for (const path of ['/auth/login', '/auth/register', '/auth/change-password']) {
      const id = 'given-by-the-caller';
      const { body, headers } = await request(app.url).post(path).set('X-Request-Id', id).send('{').expect(503);
      expect(body).toEqual({
        type: expect.stringMatching(/\/problems\/overloaded$/),
        title: 'The service is busy',
        status: 503,
        detail: expect.any(String),
        code: 'overloaded',
        request_id: id,
      });
      expect(headers).toMatchObject({ 'retry-after': '2', 'x-request-id': id, 'cache-control': 'no-store' });
      expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
      for (const name of ['content-security-policy', 'x-content-type-options', 'strict-transport-security'])
        expect([name, headers[name]]).toEqual([name, ordinary.headers[name]]);
    }
    // A page of another origin goes the long way, and is told the same.
    const page = request(app.url).post('/auth/login').set('X-Auth-Transport', 'body').set('Origin', app.url);
    const { body } = await page.send({ username: 'ada', password: 'x' }).expect(503);
    expect(body.code).toBe('overloaded');
    await browser.refresh().expect(200);
    for (const place of places) place.leave();
    await app
      .client()
      .login(await app.givenPerson())
      .expect(200);
  });

  it('turns a crowd away a few at a time, and lets others in between', async () => {
    const CROWD = 100;
    const gate = app.app.get(HashGate);
    const places = [];
    while (!gate.isFull) places.push(gate.reserve());
    const { port } = new URL(app.url);
    const sockets = await Promise.all(
      Array.from({ length: CROWD + 1 }, async () => {
        const socket = net.connect({ port: Number(port), host: '127.0.0.1' });
        await once(socket, 'connect');
        return socket;
      }),
    );
    // Connected is not accepted: that the server does one at a time.
    const server = app.app.getHttpServer();
    const accepted = promisify<number>((done) => server.getConnections(done));
    await eventually(async () => (await accepted()) > CROWD);
    const answers: string[] = [];
    const answered = sockets.map(async (socket) => {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      answers.push(chunk.subarray(9, 12).toString());
    });
    const last = sockets.pop()!;
    for (const socket of sockets)
      socket.write(
        'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
      );
    last.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await Promise.all(answered);

    expect(answers.filter((status) => status === '503')).toHaveLength(CROWD);
    expect(answers.indexOf('200')).toBeLessThan(CROWD / 2);
    for (const socket of [...sockets, last]) socket.destroy();
    for (const place of places) place.leave();
  });
});

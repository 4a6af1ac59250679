import request from 'supertest';

import { HashGate } from '../../src/common/hash-gate.js';
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
});

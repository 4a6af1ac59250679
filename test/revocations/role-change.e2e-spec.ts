import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import request from 'supertest';

import { JWT_SECRET, TestApp } from '../support/test-app.js';

describe('a role that an administrator takes away', () => {
  let app: TestApp;
  let admin: Awaited<ReturnType<TestApp['givenAdmin']>>;
  let service: ChildProcess;
  let url: string;
  beforeAll(async () => {
    app = await TestApp.start({ PUBLIC_URL: 'https://auth.example.com' });
    admin = await app.givenAdmin();
    const { clientId, authorization } = await app.givenClient();
    const clientSecret = Buffer.from(authorization.slice('Basic '.length), 'base64')
      .toString()
      .slice(clientId.length + 1);
    const VERIFIER = JSON.stringify({
      issuer: app.config.tokens.issuer,
      audience: app.config.tokens.audience,
      keys: [{ alg: 'HS256', secret: JWT_SECRET }],
      revocations: { url: app.url, clientId, clientSecret },
    });
    service = fork(path.resolve('test/support/guarded-service.mjs'), { env: { PATH: process.env.PATH, VERIFIER } });
    const port = await new Promise<unknown>((resolve, reject) => {
      service.once('message', resolve);
      service.once('exit', (code) => reject(new Error(`the service ended with ${code}`)));
    });
    url = `http://127.0.0.1:${String(port)}`;
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => service.once('exit', resolve));
    service.kill();
    await ended;
    await app.stop();
  });

  const call = (accessToken: string) => request(url).get('/').set('Authorization', `Bearer ${accessToken}`);
  const setRoles = (id: string, roles: string[]) => admin.patch(`/admin/users/${id}`).send({ roles }).expect(200);

  it.each([
    ['of the person', (id: string) => setRoles(id, ['user'])],
    ['of the role', () => admin.patch('/admin/roles/reader').send({ permissions: [] }).expect(200)],
    ['of everybody', () => admin.delete('/admin/roles/reader').expect(204)],
  ])('is refused by another process within a second, before the token ends: %s', async (_name, takeAway) => {
    await admin.delete('/admin/roles/reader');
    await admin
      .post('/admin/roles')
      .send({ name: 'reader', permissions: ['users:read'] })
      .expect(201);
    const person = await app.givenPerson();
    const other = await app.givenSignedIn();
    await setRoles(person.id, ['user', 'reader']);
    const signedIn = await app.client().login(person).expect(200);
    const tokens = signedIn.body as { access_token: string; refresh_token: string; expires_in: number };
    expect(tokens.expires_in).toBeGreaterThan(60);
    await call(tokens.access_token).expect(200);
    expect((await call(other.accessToken).expect(403)).headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope", scope="users:read"',
    );

    await takeAway(person.id);
    const begun = performance.now();
    let answer = await call(tokens.access_token);
    while (answer.status === 200 && performance.now() - begun < 5000) {
      await sleep(5);
      answer = await call(tokens.access_token);
    }
    expect(answer.status).toBe(401);
    expect((answer.body as { code: string }).code).toBe('token_revoked');
    expect(performance.now() - begun).toBeLessThan(1000);

    // They stay signed in; the next token says what they may do now.
    const { body } = await app.client().refresh(tokens.refresh_token).expect(200);
    await call((body as { access_token: string }).access_token).expect(403);
  });
});

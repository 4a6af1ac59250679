import { Controller, Get, Module, Req, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import express from 'express';
import fastify from 'fastify';
import type http from 'node:http';
import request from 'supertest';

import { createVerifier, type RevocationSource, type Verifier } from '../src/index.js';
import { expressGuard, requirePermission, requireRole, requireScope } from '../src/guards/express.js';
import { fastifyGuard } from '../src/guards/fastify.js';
import type { GuardOptions } from '../src/guards/guard.js';
import { nestGuard } from '../src/guards/nest.js';
import { AUDIENCE, ISSUER, NOW, SECRET, TestIssuer, userClaims } from './issuer.js';

const issuer = new TestIssuer('HS256', 'one', SECRET);
const silent: RevocationSource = { start: () => {}, close: () => {} };
const verifierOf = (stale = false): Verifier =>
  createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: [{ alg: 'HS256', secret: SECRET, kid: 'one' }],
    now: () => NOW * 1000,
    ...(stale && { revocations: silent, onStale: 'reject' }),
  });

interface Running {
  url: string;
  close(): Promise<unknown>;
}
const addressOf = (server: http.Server): string => `http://127.0.0.1:${(server.address() as { port: number }).port}`;

async function onExpress(options: GuardOptions, verifier: Verifier): Promise<Running> {
  const app = express();
  app.get(
    '/',
    expressGuard(verifier, options),
    (req, res) => void res.json((req as unknown as { auth: unknown }).auth),
  );
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { url: addressOf(server), close: () => new Promise((resolve) => server.close(resolve)) };
}

async function onFastify(options: GuardOptions, verifier: Verifier): Promise<Running> {
  const app = fastify();
  app.get('/', { preHandler: fastifyGuard(verifier, options) }, (req) => (req as { auth?: unknown }).auth);
  return { url: await app.listen({ port: 0, host: '127.0.0.1' }), close: () => app.close() };
}

async function onNest(options: GuardOptions, verifier: Verifier): Promise<Running> {
  @Controller()
  class Routes {
    @Get()
    @UseGuards(nestGuard(verifier, options))
    get(@Req() req: { auth: unknown }) {
      return req.auth;
    }
  }
  @Module({ controllers: [Routes] })
  class App {}
  const app = await NestFactory.create(App, { logger: false });
  await app.listen(0, '127.0.0.1');
  return { url: addressOf(app.getHttpServer() as http.Server), close: () => app.close() };
}

describe.each([
  ['Express', onExpress],
  ['Fastify', onFastify],
  ['Nest', onNest],
])('the guard for %s', (_name, start) => {
  const running: Running[] = [];
  afterEach(() => Promise.all(running.splice(0).map((app) => app.close())));
  const serve = async (options: GuardOptions = {}, verifier = verifierOf()): Promise<string> => {
    const app = await start(options, verifier);
    running.push(app);
    return app.url;
  };
  const get = (url: string, token = issuer.token(), scheme = 'Bearer') =>
    request(url).get('/').set('Authorization', `${scheme} ${token}`);

  it('hands the claims on', async () => {
    const url = await serve();
    expect((await get(url).expect(200)).body).toEqual(userClaims());
    await get(url, issuer.token(), 'bearer').expect(200);
  });

  it('refuses with the challenge of RFC 6750, and says no more than why', async () => {
    const url = await serve();
    const bare = await request(url).get('/').expect(401);
    expect(bare.headers['www-authenticate']).toBe('Bearer');
    const cases: [string, string][] = [
      [`${issuer.token()}=`, 'token_invalid'],
      [issuer.token(userClaims({ exp: NOW })), 'token_expired'],
      ['', 'token_invalid'],
    ];
    for (const [token, code] of cases) {
      const { headers, body, text } = await get(url, token).expect(401);
      expect(headers['www-authenticate']).toBe('Bearer error="invalid_token"');
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(body).toMatchObject({ status: 401, code });
      if (token) expect(text).not.toContain(token);
    }
    await get(url, issuer.token(), 'Basic').expect(401);
    await request(url).get(`/?access_token=${issuer.token()}`).expect(401);
  });

  it('asks for roles, permissions, scopes and whatever else', async () => {
    const good: GuardOptions['require'][] = [
      requireRole('user', 'admin'),
      requirePermission('orders:read'),
      requireScope('orders:read'),
      [requireRole('user'), async (claims) => claims.username === 'ada'],
    ];
    for (const required of good) await get(await serve({ require: required })).expect(200);
    const bad: GuardOptions['require'][] = [
      requireRole('admin'),
      requirePermission('orders:write'),
      requireScope('orders:read', 'orders:write'),
      requireScope('orders'),
      [requireRole('user'), () => false],
    ];
    for (const required of bad) {
      const { headers } = await get(await serve({ require: required })).expect(403);
      expect(headers['www-authenticate']).toBe('Bearer error="insufficient_scope"');
    }
  });

  it('takes a cookie and a device header only where it is told to', async () => {
    const token = issuer.token(userClaims({ device_id: 'phone' }));
    const plain = await serve();
    await request(plain).get('/').set('Cookie', `access_token=${token}`).expect(401);
    await get(plain, token).expect(200);
    const url = await serve({ cookie: 'access_token', deviceHeader: 'X-Device-Id' });
    await request(url).get('/').set('Cookie', `a=b; access_token=${token}`).set('X-Device-Id', 'phone').expect(200);
    await request(url).get('/').set('Cookie', `access_token=${token}; access_token=${token}`).expect(401);
    await get(url, token).expect(401);
    await get(url, token).set('X-Device-Id', 'other').expect(401);
    await get(url).expect(200);
  });

  it('says 503 where it cannot know', async () => {
    const { headers } = await get(await serve({}, verifierOf(true))).expect(503);
    expect(headers['retry-after']).toBe('5');
  });
});

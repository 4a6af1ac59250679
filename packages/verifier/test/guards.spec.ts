import { Controller, Get, Module, Req, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import express from 'express';
import fastify from 'fastify';
import type http from 'node:http';
import request from 'supertest';

import { createVerifier, type RevocationSource, type Verifier } from '../src/index.js';
import {
  expressGuard,
  permissionsOf,
  requireAnyPermission,
  requirePermissions,
  requireRole,
  requireScope,
} from '../src/guards/express.js';
import { fastifyGuard } from '../src/guards/fastify.js';
import type { GuardOptions } from '../src/guards/guard.js';
import { nestGuard, Require, RequirePermissions, RequireRole, RequireScope } from '../src/guards/nest.js';
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

/** The claims of a service's own token. */
const serviceClaims = (overrides: Record<string, unknown>): Record<string, unknown> => {
  const { iss, aud, iat, exp, jti } = userClaims();
  return { iss, aud, iat, exp, jti, sub: 'billing', client_id: 'billing', ...overrides };
};

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
      requirePermissions('orders:read'),
      requireAnyPermission('orders:read', 'orders:write'),
      requireScope('orders:read'),
      [requireRole('user'), async (claims) => claims.username === 'ada'],
    ];
    for (const required of good) await get(await serve({ require: required })).expect(200);
    const insufficient = 'Bearer error="insufficient_scope"';
    const bad: [GuardOptions['require'], string][] = [
      [requireRole('admin'), insufficient],
      [requirePermissions('orders:write'), `${insufficient}, scope="orders:write"`],
      [requirePermissions('orders:read', 'orders:write'), `${insufficient}, scope="orders:read orders:write"`],
      [requireAnyPermission('orders:write', 'orders'), insufficient],
      [requireScope('orders:read', 'orders:write'), `${insufficient}, scope="orders:read orders:write"`],
      [requireScope('orders'), `${insufficient}, scope="orders"`],
      [[requireRole('user'), () => false], insufficient],
      [[requirePermissions('orders:read'), requireScope('orders:write')], `${insufficient}, scope="orders:write"`],
    ];
    for (const [required, challenge] of bad) {
      const { headers, body } = await get(await serve({ require: required })).expect(403);
      expect(headers['www-authenticate']).toBe(challenge);
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(body).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });

  it('asks services for their scope, and users for their permissions', async () => {
    const service = issuer.token(serviceClaims({ scope: 'orders:read orders:list', permissions: ['orders:write'] }));
    const user = issuer.token(userClaims({ permissions: ['orders:read'], scope: 'orders:read orders:write' }));
    const reads = await serve({ require: requirePermissions('orders:read') });
    const writes = await serve({ require: requirePermissions('orders:write') });
    for (const token of [service, user]) {
      await get(reads, token).expect(200);
      await get(writes, token).expect(403);
    }
    await get(reads, issuer.token(serviceClaims({ scope: '' }))).expect(403);
    await get(await serve({ require: requireRole('user') }), service).expect(403);
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

describe('a requirement', () => {
  it('names something, and nothing that no token could hold', () => {
    for (const require of [requireRole, requirePermissions, requireAnyPermission, requireScope, RequirePermissions]) {
      expect(() => require()).toThrow('at least one');
      for (const name of ['', 'a b', 'a"', 'a\\', 'a\r\nX: y', 'é']) expect(() => require(name)).toThrow('is no name');
    }
  });

  it('reads the claims that count for whoever the token speaks for', () => {
    expect(permissionsOf(userClaims({ scope: 'more' }) as never)).toEqual(['orders:read']);
    expect(permissionsOf(serviceClaims({ scope: 'a b', permissions: ['c'] }) as never)).toEqual(['a', 'b']);
  });
});

describe('the decorators for Nest', () => {
  it('add to each other, at controllers, those they extend, and methods', async () => {
    @Require(({ username }) => username === 'ada')
    class Base {}
    @Controller()
    @RequirePermissions('orders:read')
    class Orders extends Base {
      @Get()
      list() {
        return [];
      }
      @Get('all')
      @RequirePermissions('orders:write')
      @RequireRole('clerk', 'admin')
      all() {
        return [];
      }
      @Get('scoped')
      @RequireScope('orders:write')
      scoped() {
        return [];
      }
    }
    @Module({ controllers: [Orders] })
    class App {}
    const app = await NestFactory.create(App, { logger: false });
    app.useGlobalGuards(new (nestGuard(verifierOf()))());
    await app.listen(0, '127.0.0.1');
    const status = async (path: string, claims: Record<string, unknown>) => {
      const token = issuer.token(userClaims(claims));
      return (
        await request(addressOf(app.getHttpServer() as http.Server))
          .get(path)
          .auth(token, { type: 'bearer' })
      ).status;
    };
    try {
      expect(await status('/', {})).toBe(200);
      expect(await status('/', { permissions: [] })).toBe(403);
      expect(await status('/', { username: 'eve' })).toBe(403);
      const both = { permissions: ['orders:read', 'orders:write'], roles: ['clerk'] };
      expect(await status('/all', both)).toBe(200);
      expect(await status('/all', { ...both, roles: ['user'] })).toBe(403);
      expect(await status('/all', { ...both, permissions: ['orders:write'] })).toBe(403);
      expect(await status('/all', { ...both, permissions: ['orders:read'] })).toBe(403);
      expect(await status('/scoped', { scope: 'orders:write' })).toBe(200);
      expect(await status('/scoped', {})).toBe(403);
    } finally {
      await app.close();
    }
  });
});

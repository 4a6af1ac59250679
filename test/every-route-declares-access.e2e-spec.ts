import { Reflector } from '@nestjs/core';
import request from 'supertest';

import { ALWAYS_CSRF } from '../src/common/access.js';
import { type Route, routesOf } from './support/routes.js';
import { TestApp } from './support/test-app.js';

describe('access', () => {
  let app: TestApp;
  let routes: Route[];
  beforeAll(async () => {
    app = await TestApp.start();
    routes = routesOf(app);
  });
  afterAll(() => app.stop());

  it('every route declares who may call it', () => {
    expect(routes.length).toBeGreaterThanOrEqual(12);
    expect(routes.filter(({ rule }) => rule === undefined)).toEqual([]);
  });

  it('every route of the running server was walked', () => {
    interface Layer {
      route?: { path: string; methods: Record<string, boolean> };
    }
    const { stack } = (app.app.getHttpAdapter().getInstance() as { router: { stack: Layer[] } }).router;
    const served = stack
      .flatMap(({ route }) => (route ? Object.keys(route.methods).map((method) => `${method} ${route.path}`) : []))
      .filter((name) => !/ \/(docs|openapi\.yaml)/.test(name)); // Express's own: files that anyone may read
    expect(served.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  it('the list of routes that anyone may call is this one', () => {
    const open = routes.filter(({ rule }) => rule === 'public').map(({ method, path }) => `${method} ${path}`);
    expect(open.toSorted()).toEqual([
      'get /.well-known/jwks.json',
      'get /.well-known/oauth-authorization-server',
      'get /auth/csrf',
      'get /health/live',
      'get /health/ready',
      'get /metrics', // by a token of its own: test/operations/metrics.e2e-spec.ts
      'get /problems/:code',
      'post /auth/2fa/enrollment/totp',
      'post /auth/2fa/enrollment/totp/confirm',
      'post /auth/2fa/options',
      'post /auth/2fa/verify',
      'post /auth/login',
      'post /auth/logout',
      'post /auth/passkeys/options',
      'post /auth/passkeys/verify',
      'post /auth/refresh',
      'post /auth/register',
      'post /auth/reset-password',
    ]);
  });

  it('every other route refuses who sends no credential', async () => {
    for (const { rule, method, path } of routes) {
      if (rule === 'public') continue;
      const { body } = await request(app.url)[method](path).expect(401);
      expect([path, body.code ?? body.error]).toEqual([path, rule === 'client' ? 'invalid_client' : 'token_missing']);
    }
  });

  it('the list of routes for services is this one, and no user’s token opens them', async () => {
    const { accessToken } = await app.givenSignedIn();
    const forClients = routes.filter(({ rule }) => rule === 'client');
    expect(forClients.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
      'get /revocations',
      'get /revocations/stream',
      'post /oauth/introspect',
      'post /oauth/revoke',
      'post /oauth/token',
    ]);
    for (const { method, path } of forClients) {
      const { body } = await request(app.url)[method](path).set('Authorization', `Bearer ${accessToken}`).expect(401);
      expect(body.code ?? body.error).toBe('invalid_client');
    }
  });

  it('every public route that changes something insists on CSRF', () => {
    const reflector = app.app.get(Reflector);
    for (const { name, method, rule, handler, controller } of routes) {
      if (rule !== 'public' || method === 'get') continue;
      expect([name, reflector.getAllAndOverride(ALWAYS_CSRF, [handler, controller])]).toEqual([name, true]);
    }
  });
});

import { ModulesContainer, Reflector } from '@nestjs/core';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import request from 'supertest';

import { ACCESS_RULE, type AccessRule, ALWAYS_CSRF } from '../src/common/access.js';
import { TestApp } from './support/test-app.js';

const METHODS = ['get', 'post', 'put', 'delete', 'patch'] as const;

interface Route {
  name: string;
  method: (typeof METHODS)[number];
  path: string;
  rule: AccessRule | undefined;
}

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
    ]);
    for (const { method, path } of forClients) {
      const { body } = await request(app.url)[method](path).set('Authorization', `Bearer ${accessToken}`).expect(401);
      expect(body.code ?? body.error).toBe('invalid_client');
    }
  });

  it('every public route that changes something insists on CSRF', () => {
    const reflector = app.app.get(Reflector);
    for (const { handler, controller, route } of handlersOf(app)) {
      if (route.rule !== 'public' || route.method === 'get') continue;
      expect([route.name, reflector.getAllAndOverride(ALWAYS_CSRF, [handler, controller])]).toEqual([route.name, true]);
    }
  });
});

const routesOf = (app: TestApp): Route[] => handlersOf(app).map(({ route }) => route);

function handlersOf(app: TestApp) {
  const reflector = app.app.get(Reflector);
  const controllers = [...app.app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ metatype }) => {
    const controller = metatype as new () => object;
    const prototype = controller.prototype as Record<string, () => unknown>;
    return Object.getOwnPropertyNames(prototype)
      .map((name) => ({ name, handler: prototype[name] }))
      .filter(({ handler }) => Reflect.hasMetadata(METHOD_METADATA, handler))
      .map(({ name, handler }) => {
        const parts = [
          Reflect.getMetadata(PATH_METADATA, controller),
          Reflect.getMetadata(PATH_METADATA, handler),
        ] as string[];
        const route: Route = {
          name: `${controller.name}.${name}`,
          method: METHODS[Reflect.getMetadata(METHOD_METADATA, handler) as number],
          path: `/${parts
            .map((part) => part.replace(/^\/|\/$/g, ''))
            .filter(Boolean)
            .join('/')}`,
          rule: reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [handler, controller]),
        };
        return { handler, controller, route };
      });
  });
}

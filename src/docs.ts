import fs from 'node:fs';
import path from 'node:path';

import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import yaml from 'js-yaml';

import { packageRoot } from './common/package-root.js';
import { NOT_FOUND } from './common/problem/catalogue.js';
import { Problem } from './common/problem/problem.js';
import { RateLimitGuard } from './protection/rate-limit.guard.js';

export const DOCS_PATH = '/docs';
const OPENAPI_PATH = '/openapi.yaml';
const OPENAPI_FILE = path.join(packageRoot, 'openapi.yaml');

/** What the page is made of. The folder that Swagger UI comes in has more, such as its version. */
const PAGE = new Set([
  '/',
  '/swagger-ui.css',
  '/swagger-ui-bundle.js',
  '/swagger-ui-standalone-preset.js',
  '/swagger-ui-init.js',
  '/favicon-16x16.png',
  '/favicon-32x32.png',
]);

/** Serves Swagger UI under `/docs`, and the committed `openapi.yaml` byte for byte; both under the default limit. */
export function serveDocs(app: NestExpressApplication): void {
  const rateLimit = app.get(RateLimitGuard);
  app.use([DOCS_PATH, OPENAPI_PATH], (request: Request, response: Response, next: NextFunction) => {
    // These routes are Express's own, and no guard of Nest's sees them.
    const context = new ExecutionContextHost([request, response], RateLimitGuard, serveDocs);
    Promise.resolve(rateLimit.canActivate(context)).then(
      () => next(),
      (error: unknown) => next(error),
    );
  });
  app.use(DOCS_PATH, (request: Request, _response: Response, next: NextFunction) =>
    next(PAGE.has(request.path) ? undefined : new Problem(NOT_FOUND)),
  );
  app
    .getHttpAdapter()
    .getInstance()
    .get(OPENAPI_PATH, (_request, response) => {
      response.type('application/yaml').sendFile(OPENAPI_FILE);
    });
  SwaggerModule.setup(DOCS_PATH, app, () => yaml.load(fs.readFileSync(OPENAPI_FILE, 'utf8')) as OpenAPIObject, {
    raw: false,
    customSiteTitle: 'Latchkey',
    swaggerOptions: {
      persistAuthorization: false, // it would keep the password in the browser's storage
      tryItOutEnabled: true,
      // Runs in the browser, so it stands alone: Swagger UI keeps tokens itself and needs no cookies.
      requestInterceptor: (request: { headers: Record<string, string> }) => {
        request.headers['X-Auth-Transport'] = 'body';
        return request;
      },
    },
  });
}

import fs from 'node:fs';
import path from 'node:path';

import type { NestExpressApplication } from '@nestjs/platform-express';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import yaml from 'js-yaml';

import { packageRoot } from './common/package-root.js';

export const DOCS_PATH = '/docs';
const OPENAPI_FILE = path.join(packageRoot, 'openapi.yaml');

/** Serves Swagger UI under `/docs`, and the committed `openapi.yaml` byte for byte. */
export function serveDocs(app: NestExpressApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .get('/openapi.yaml', (_request, response) => {
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

import fs from 'node:fs';
import path from 'node:path';

import yaml from 'js-yaml';

import { problemCatalogue } from '../src/common/problem/catalogue.js';
import { renderOpenApi } from '../src/openapi.js';
import { TestApp } from './support/test-app.js';

interface MediaType {
  schema?: unknown;
  example?: unknown;
  examples?: Record<string, unknown>;
}
interface Operation {
  operationId: string;
  requestBody?: { required: boolean; content: Record<string, MediaType> };
  responses: Record<string, { content?: Record<string, MediaType> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { example?: unknown; properties?: Record<string, { example?: unknown }> }> };
}

describe('openapi.yaml', () => {
  const committed = fs.readFileSync(path.resolve('openapi.yaml'), 'utf8');
  const document = yaml.load(committed) as Document;
  const operations = Object.entries(document.paths).flatMap(([route, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method} ${route}`, operation })),
  );

  it('is what the code generates: run npm run openapi where it is not', async () => {
    expect(await renderOpenApi()).toBe(committed);
  });

  it('is OpenAPI 3.1, and names each operation once', () => {
    expect(document.openapi).toBe('3.1.0');
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.length).toBeGreaterThanOrEqual(12);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('shows an example for every status and every body of every operation', () => {
    const lacking = operations.flatMap(({ name, operation }) => {
      const bodies = Object.entries(operation.responses).flatMap(([status, { content }]) =>
        Object.values(content ?? {}).map((media) => ({ at: `${name} ${status}`, media })),
      );
      for (const media of Object.values(operation.requestBody?.content ?? {}))
        bodies.push({ at: `${name} body`, media });
      return bodies
        .filter(({ media }) => media.example === undefined && Object.keys(media.examples ?? {}).length === 0)
        .map(({ at }) => at);
    });
    expect(lacking).toEqual([]);
  });

  it('says of a body that it may be left out where the service takes none, and nowhere else', async () => {
    const app = await TestApp.start();
    try {
      const found: string[] = [];
      for (const { name, operation } of operations) {
        if (!operation.requestBody || /admin|oauth/.test(name)) continue;
        const [method, route] = name.split(' ') as ['post' | 'patch' | 'delete', string];
        const target = route.replace('{id}', '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10');
        const { accessToken } = await app.givenSignedIn(); // some of the routes end the session that asks
        const { status } = await app.client().send(method, target).set('Authorization', `Bearer ${accessToken}`);
        if (status !== 422) found.push(name);
      }
      const optional = operations.filter(({ operation }) => operation.requestBody?.required === false);
      expect(optional.map(({ name }) => name)).toEqual(found);
      expect(found.toSorted()).toEqual(['post /auth/2fa/totp', 'post /auth/logout', 'post /auth/refresh']);
    } finally {
      await app.stop();
    }
  });

  it('documents every code of the catalogue', () => {
    const text = JSON.stringify(operations.map(({ operation }) => operation.responses));
    // 404 and 405 are about routes that are not in the document.
    const missing = problemCatalogue.filter(({ code }) => code !== 'method_not_allowed' && !text.includes(`"${code}"`));
    expect(missing.map(({ code }) => code)).toEqual([]);
  });
});

import fs from 'node:fs';
import path from 'node:path';

import request, { type Response } from 'supertest';

import { problemCatalogue } from '../../src/common/problem/catalogue.js';
import { TestApp } from '../support/test-app.js';

describe('every answer', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('carries the security headers and tells no version', async () => {
    const { headers } = await request(app.url).get('/health/live').expect(200);
    expect(headers).toMatchObject({
      'content-security-policy': `default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'strict-transport-security': expect.stringContaining('max-age='),
    });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('server');
    expect(headers).not.toHaveProperty('etag');
  });

  it('has a request id: the caller’s own where it is sane, else a new one', async () => {
    const own = await request(app.url).get('/health/live').set('X-Request-Id', 'trace-0123456789');
    expect(own.headers['x-request-id']).toBe('trace-0123456789');
    for (const insane of ['short', 'has spaces in it', 'a'.repeat(129), 'line%0abreak"']) {
      const { headers } = await request(app.url).get('/health/live').set('X-Request-Id', insane);
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('says 405 with Allow for a method that a path does not answer, and 404 for no path', async () => {
    const put = await request(app.url).put('/auth/login').expect(405);
    expect(put.headers.allow).toBe('POST');
    expect(put.body.code).toBe('method_not_allowed');
    expect((await request(app.url).delete('/auth/activity').expect(405)).headers.allow).toBe('GET, HEAD');
    await request(app.url).trace('/auth/me').expect(405);
    expect((await request(app.url).get('/auth').expect(404)).body.code).toBe('not_found');
  });

  it('leads from the type of a problem to the page that explains it', async () => {
    const { body } = await request(app.url).get('/auth/me').expect(401);
    const { text, headers } = await request(app.url).get(new URL(body.type).pathname).expect(200);
    expect(headers['content-type']).toBe('text/markdown; charset=utf-8');
    expect(text).toContain('token_missing');
    await request(app.url).get('/problems/unheard-of').expect(404);
    await request(app.url).get('/problems/..%2f..%2fpackage.json').expect(404);
  });

  it('has a page for every code of the catalogue, and no other page', () => {
    const pages = fs.readdirSync(path.resolve('docs/problems')).map((file) => file.replace(/\.md$/, ''));
    expect(pages.toSorted()).toEqual(problemCatalogue.map(({ code }) => code).toSorted());
    for (const { code, status } of problemCatalogue) {
      expect(fs.readFileSync(path.resolve('docs/problems', `${code}.md`), 'utf8')).toMatch(
        new RegExp(`^# ${code}\n[\\s\\S]*${status}`),
      );
    }
  });

  it('that is a 401 challenges for a bearer token (RFC 6750)', async () => {
    expect((await request(app.url).get('/auth/me').expect(401)).headers['www-authenticate']).toBe('Bearer');
    expect((await app.client().me('nonsense').expect(401)).headers['www-authenticate']).toBe(
      'Bearer error="invalid_token"',
    );
  });
});

describe('GET /openapi.yaml and /docs', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('serves the committed file byte for byte', async () => {
    const { body, headers } = await request(app.url).get('/openapi.yaml').buffer().parse(bytes).expect(200);
    expect(headers['content-type']).toMatch(/^application\/yaml/);
    expect((body as Buffer).equals(fs.readFileSync(path.resolve('openapi.yaml')))).toBe(true);
  });

  it.each([{ 'If-Match': '"x"' }, { Range: 'bytes=999999999-' }])(
    'answers %j on a file without a 5xx',
    async (headers) => {
      expect((await request(app.url).get('/openapi.yaml').set(headers)).status).toBeLessThan(500);
    },
  );

  it('serves Swagger UI under a policy of its own, without inline scripts', async () => {
    const { text, headers } = await request(app.url).get('/docs').expect(200);
    expect(headers['content-security-policy']).toContain(`script-src 'self';`);
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>[^<]/);
    const scripts = [...text.matchAll(/src="([^"]+)"/g)].map(([, src]) => src);
    for (const src of scripts)
      await request(app.url)
        .get(new URL(src, `${app.url}/docs`).pathname)
        .expect(200);
    expect(scripts.length).toBeGreaterThanOrEqual(3);
  });

  it.each(['/docs', '/docs/'])(
    'serves what the page at %s is made of, and nothing else of its folder',
    async (page) => {
      const { text } = await request(app.url).get(page).expect(200);
      const parts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(
        ([, part]) => new URL(part, app.url + page).pathname,
      );
      for (const part of parts) await request(app.url).get(part).expect(200);

      const folder = fs.readdirSync(path.dirname(require.resolve('swagger-ui-dist/package.json')));
      const others = [
        ...folder.map((file) => `/docs/${file}`),
        '/docs/docs/swagger-ui-init.js',
        '/docs/%70ackage.json',
      ];
      for (const other of others.filter((file) => !parts.includes(file))) {
        const { body, headers } = await request(app.url).get(other).expect(404);
        expect(headers['content-type']).toMatch(/^application\/problem\+json/);
        expect(body.code).toBe('not_found');
      }
      expect(others).toContain('/docs/package.json');
    },
  );
});

describe('THROTTLE_DEFAULT', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ THROTTLE_DEFAULT: '4/60' })));
  afterAll(() => app.stop());

  it('covers the documentation too', async () => {
    for (const page of ['/docs', '/docs/swagger-ui.css', '/openapi.yaml', '/docs/package.json']) {
      expect((await request(app.url).get(page)).headers['ratelimit-limit']).toBe('4');
    }
    for (const page of ['/docs', '/openapi.yaml', '/docs/swagger-ui-bundle.js']) {
      expect((await request(app.url).get(page).expect(429)).body.code).toBe('rate_limited');
    }
  });
});

function bytes(response: Response, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  const stream = response as unknown as NodeJS.ReadableStream;
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => done(null, Buffer.concat(chunks)));
}

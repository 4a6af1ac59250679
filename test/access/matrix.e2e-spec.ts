import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { type Route, routesOf } from '../support/routes.js';
import { type Person, TestApp } from '../support/test-app.js';

const CALLERS = ['nobody', 'half-way', 'user', 'client', 'disabled', 'administrator'] as const;
type Caller = (typeof CALLERS)[number];

/** What refuses a caller for who they are, rather than for what they sent. */
const REFUSALS = ['token_missing', 'token_invalid', 'token_revoked', 'token_expired', 'forbidden', 'invalid_client'];
const NOBODYS_ID = '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10';

describe('who may call what', () => {
  let app: TestApp;
  let people: Record<'user' | 'administrator' | 'disabled' | 'half-way', Person>;
  let client: string;
  beforeAll(async () => {
    app = await TestApp.start({ SESSIONS_PER_USER: '10000', METRICS_TOKEN: 'a-token-for-the-metrics' });
    const admin = await app.givenAdmin();
    people = {
      user: await app.givenPerson(),
      administrator: admin.person,
      disabled: await app.givenPerson(),
      'half-way': (await app.givenTotp()).person,
    };
    client = (await app.givenClient()).authorization;
  });
  afterAll(() => app.stop());

  /** A credential that no earlier request used: some routes end the session that asks. */
  async function credentialOf(caller: Caller): Promise<string | undefined> {
    if (caller === 'nobody') return undefined;
    if (caller === 'client') return client;
    const person = people[caller];
    const setActive = (isActive: boolean) =>
      app.rows('update users set is_active = $2 where id = $1', [person.id, isActive]);
    if (caller === 'disabled') await setActive(true);
    const { body } = await app.client().login(person).expect(200);
    if (caller === 'disabled') await setActive(false);
    const { access_token, mfa_token } = body as { access_token?: string; mfa_token?: string };
    return `Bearer ${access_token ?? mfa_token}`;
  }

  /** The code of the refusal, or `open`. A stream is left as soon as it answers. */
  function outcome({ method, path: route }: Route, authorization: string | undefined): Promise<string> {
    const url = new URL(
      route.replace(':id', NOBODYS_ID).replace(':code', 'forbidden').replace(':name', 'nobody'),
      app.url,
    );
    const headers = {
      'x-auth-transport': 'body',
      'content-type': 'application/json',
      ...(authorization && { authorization }),
    };
    return new Promise((resolve, reject) => {
      const request = http.request(url, { method, headers, agent: false }, (response) => {
        if (response.headers['content-type']?.startsWith('text/event-stream')) {
          request.destroy();
          resolve('open');
          return;
        }
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          const { code, error } = /json/.test(response.headers['content-type'] ?? '')
            ? (JSON.parse(text) as { code?: string; error?: string })
            : {};
          const refusal = code ?? error ?? '';
          resolve(REFUSALS.includes(refusal) ? refusal : 'open');
        });
      });
      request.once('error', reject);
      request.end(['get', 'delete'].includes(method) ? undefined : '{}');
    });
  }

  it('is what docs/access.md says, cell by cell', async () => {
    const found: string[] = [];
    for (const route of routesOf(app)) {
      const cells: string[] = [];
      for (const caller of CALLERS) cells.push(await outcome(route, await credentialOf(caller)));
      const rule = typeof route.rule === 'object' ? `\`${route.rule.permission}\`` : route.rule;
      found.push(`| ${route.method.toUpperCase()} ${route.path} | ${rule} | ${cells.join(' | ')} |`);
    }
    const written = readFileSync(path.resolve('docs/access.md'), 'utf8')
      .split('\n')
      .filter((line) => /^\| (GET|POST|PUT|PATCH|DELETE) /.test(line));
    expect(written).toEqual(found.toSorted());
  });

  it('holds for every spelling of a path', async () => {
    const { accessToken } = await app.givenSignedIn();
    const spellings = (route: string) => [
      `/${route}`,
      `${route}/`,
      route.toUpperCase(),
      route.replace('/admin', '/%61dmin'),
      route.replace('/admin/', '/admin//'),
      route.replace('/admin/', '/admin/./'),
      route.replace('/admin/', '/auth/../admin/'),
      route.replace('/admin/', '/admin%2f'),
      route.replace('/admin', '/admin%00'),
      `${route};x=1`,
      `${route}.json`,
      `${route}%2e`,
      `${route}%20`,
      `${route}?x=1#y`,
      `${route}\\`,
    ];
    const send = (target: string, method: string) =>
      new Promise<number>((resolve, reject) => {
        const { port } = new URL(app.url);
        const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
        const request = http.request(
          { host: '127.0.0.1', port, path: target, method, headers, agent: false },
          (response) => {
            response.resume();
            response.once('end', () => resolve(response.statusCode!));
          },
        );
        request.once('error', reject);
        request.end();
      });
    for (const { method, path: route, rule } of routesOf(app)) {
      if (typeof rule !== 'object') continue;
      for (const spelling of spellings(route.replace(':id', people.user.id).replace(':name', 'user'))) {
        const status = await send(spelling, method.toUpperCase());
        expect([method, spelling, [400, 401, 403, 404, 405, 422].includes(status)]).toEqual([method, spelling, true]);
        expect([method, spelling, status === 422 && !spelling.includes('?')]).toEqual([method, spelling, false]);
      }
    }
  });

  it('no body makes anybody more than they are', async () => {
    const members = [
      'id',
      'user_id',
      'sub',
      'is_admin',
      'isAdmin',
      'admin',
      'role',
      'roles',
      'permissions',
      'scope',
      'scopes',
      'is_active',
      'active',
      'must_change_password',
      'email_verified',
      'email_verified_at',
      'password_hash',
      'passwordHash',
      'second_factors',
      'mfa',
      'org_id',
      'amr',
      'auth_time',
      'created_at',
      '__proto__',
      'constructor',
      'prototype',
    ];
    const { person, browser, accessToken } = await app.givenSignedIn();
    const before = await app.rows('select * from users where id = $1', [person.id]);
    for (const route of routesOf(app)) {
      if (['get', 'delete'].includes(route.method) || route.path === '/auth/logout-all') continue;
      for (const member of members) {
        if (typeof route.rule === 'object') continue; // refused before any body is read: see above
        const body = `{${JSON.stringify(member)}:["admin"]}`;
        const send = browser.copy().send(route.method, route.path.replace(':id', NOBODYS_ID));
        const { status } = await send
          .set('Authorization', route.rule === 'client' ? client : `Bearer ${accessToken}`)
          .set('Content-Type', 'application/json')
          .send(body);
        const where = `${route.method} ${route.path} ${member}`;
        expect([where, status < 500]).toEqual([where, true]);
        // Whatever takes a body says which members it knows; what takes none never reads it.
        if (status < 300) expect([where, TAKES_NO_BODY.includes(route.path)]).toEqual([where, true]);
      }
    }
    expect(await app.rows('select * from users where id = $1', [person.id])).toEqual(before);
  });
});

const TAKES_NO_BODY = [
  '/auth/sessions/revoke-others',
  '/auth/2fa/passkeys/options',
  '/auth/passkeys/options',
  '/auth/step-up/options',
  '/auth/2fa/recovery-codes',
];

import http from 'node:http';
import net from 'node:net';

import request from 'supertest';

import { PASSWORD, TestApp } from '../support/test-app.js';

/** Whatever comes in gets a clear problem, never a 5xx, and leaves nothing half-written. */
describe('bad input', () => {
  let app: TestApp;
  let usersBefore: number;
  const countUsers = async () => (await app.rows<{ count: number }>('select count(*)::int from users'))[0].count;

  beforeAll(async () => {
    app = await TestApp.start();
    await app.givenPerson();
    usersBefore = await countUsers();
  });
  afterAll(async () => {
    expect(await countUsers()).toBe(usersBefore);
    expect(app.log).not.toContain('"level":"error"');
    await app.stop();
  });

  const post = (path: string, body: string | Buffer, type = 'application/json') =>
    request(app.url)
      .post(path)
      .set('X-Auth-Transport', 'body')
      .set('Content-Type', type)
      .serialize((bytes: string) => bytes)
      .send(body);

  it.each([
    ['malformed JSON', '{"username":', 400],
    ['a bare word', 'nonsense', 400],
    ['a JSON string', '"text"', 400],
    ['null', 'null', 400],
    ['an array', '[]', 422],
    ['32,000 brackets', '['.repeat(32_000) + ']'.repeat(32_000), 422],
    ['an empty body', '', 422],
    ['an empty object', '{}', 422],
    ['1 MB', JSON.stringify({ username: 'x'.repeat(1_000_000) }), 413],
    ['a body over 64 KiB', JSON.stringify({ username: 'x'.repeat(65_536) }), 413],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"username":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]), 400],
  ])('%s', async (_name, body, status) => {
    const answer = await post('/auth/login', body);
    expect(answer.status).toBe(status);
    expectProblem(answer);
  });

  it.each([
    ['text/plain', '{}', 415],
    ['application/json; charset=utf-16', '{}', 415],
    ['multipart/form-data; boundary=x', '--x--', 415],
  ])('content type %s', async (type, body, status) => {
    const answer = await post('/auth/login', body, type);
    expect(answer.status).toBe(status);
    expectProblem(answer);
  });

  it.each([
    ['over 64 KiB', `{"username":"${'x'.repeat(65_536)}"}`, 413],
    ['of 1 MB', ' '.repeat(1_000_000), 413],
    ['of nothing', '', 422],
  ])('a chunked body %s', async (_name, body, status) => {
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', 'X-Auth-Transport': 'body' };
      const sent = http.request(`${app.url}/auth/login`, { method: 'POST', headers }, resolve).once('error', reject);
      for (let at = 0; at < body.length; at += 16_384) sent.write(body.slice(at, at + 16_384));
      sent.end();
    });
    expect(answer.statusCode).toBe(status);
    answer.resume();
  });

  it('JSON after a byte order mark, which is left out', async () => {
    const answer = await post('/auth/login', '\uFEFF{"username":"nobody","password":"nothing like it"}');
    expect(answer.status).toBe(401);
  });

  it('a compressed body', async () => {
    const answer = await post('/auth/login', Buffer.from([0x1f, 0x8b])).set('Content-Encoding', 'gzip');
    expect(answer.status).toBe(415);
  });

  it('a form where JSON alone is taken', async () => {
    expect((await post('/auth/refresh', 'refresh_token=x', 'application/x-www-form-urlencoded')).status).toBe(415);
  });

  const valid = { username: 'valid', email: 'valid@example.com', password: PASSWORD };
  const bodies: [string, unknown, string][] = [
    ['SQL in the username', { ...valid, username: `admin' OR '1'='1` }, 'username'],
    ['a NUL byte in the username', { ...valid, username: 'a\0b' }, 'username'],
    ['a NUL byte in the password', { ...valid, password: 'long-enough\0-password' }, 'password'],
    ['a lone surrogate', { ...valid, password: 'long-enough-\ud800-password' }, 'password'],
    ['a number for a username', { ...valid, username: 123456 }, 'username'],
    ['an object for a password', { ...valid, password: { $ne: null } }, 'password'],
    ['an array for a username', { ...valid, username: ['ada'] }, 'username'],
    ['null for an e-mail address', { ...valid, email: null }, 'email'],
    ['an e-mail address without a domain', { ...valid, email: 'ada@' }, 'email'],
    ['an e-mail address as username', { ...valid, username: 'ada@example.com' }, 'username'],
    ['a username with a line break', { ...valid, username: 'ada\nadmin' }, 'username'],
    ['a username with a letter that shows nothing', { ...valid, username: 'ada\u3164' }, 'username'],
    ['a username with a soft hyphen', { ...valid, username: 'ad\u00ada' }, 'username'],
    ['a username with a letter that stands for one with a space', { ...valid, username: 'ada\u037a' }, 'username'],
    ['a username of 65 characters', { ...valid, username: 'a'.repeat(65) }, 'username'],
    ['a password of 1,025 bytes', { ...valid, password: 'é'.repeat(513) }, 'password'],
    ['an unknown field', { ...valid, is_admin: true }, 'is_admin'],
    ['roles', { ...valid, roles: ['admin'] }, 'roles'],
  ];
  it.each(bodies)('%s is 422 and named', async (_name, body, field) => {
    const answer = await post('/auth/register', JSON.stringify(body));
    expect(answer.status).toBe(422);
    expectProblem(answer);
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  });

  it.each(['__proto__', 'constructor', 'prototype'])(
    'a member %s is an unknown field and pollutes nothing',
    async (name) => {
      const answer = await post(
        '/auth/register',
        `{"username":"valid","email":"valid@example.com","password":"${PASSWORD}","${name}":{"polluted":true}}`,
      );
      expect(answer.status).toBe(422);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    },
  );

  it('SQL in the username of a sign-in', async () => {
    const answer = await post('/auth/login', JSON.stringify({ username: `admin' OR '1'='1`, password: 'x' }));
    expect(answer.status).toBe(422);
  });

  it('a form with a field twice', async () => {
    expect(
      (await post('/auth/login', 'username=a&username=b&password=c', 'application/x-www-form-urlencoded')).status,
    ).toBe(422);
  });

  it('a form with 1,000 fields', async () => {
    const form = Array.from({ length: 1000 }, (_, at) => `f${at}=1`).join('&');
    const answer = await post('/auth/login', form, 'application/x-www-form-urlencoded');
    expect([400, 413, 422]).toContain(answer.status);
    expectProblem(answer);
  });

  it.each(['j:{"a":1}', 's:signed', '%', '%00', 'a'.repeat(4000)])('a refresh cookie of %s', async (value) => {
    const { browser } = await app.givenSignedIn();
    usersBefore++;
    const answer = await request(app.url)
      .post('/auth/refresh')
      .set('Cookie', [`refresh_token=${value}`, `XSRF-TOKEN=${browser.cookie('XSRF-TOKEN')}`].join('; '))
      .set('X-CSRF-Token', browser.cookie('XSRF-TOKEN')!);
    expect([401, 403]).toContain(answer.status);
    expectProblem(answer);
  });

  it.each([
    '/auth/me/',
    '/AUTH/me',
    '/auth//me',
    '/auth/me.json',
    '/auth/me;x',
    '/auth/%6de%00',
    '/%',
    '/auth/..%2fme',
    '/nothing',
  ])('the path %s is nothing', async (path) => {
    const answer = await raw(app.url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 (404|400)/);
    expect(answer).toContain('application/problem+json');
    expect(answer).not.toContain('    at ');
  });

  it('a request that is no HTTP', async () => {
    expect(await raw(app.url, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
  });

  it('spoofed forwarding headers, with no trusted proxy', async () => {
    const spoofed = {
      'X-Forwarded-For': '203.0.113.9, nonsense',
      Forwarded: 'for=203.0.113.9',
      'X-Real-IP': '203.0.113.9',
      'X-Forwarded-Host': 'evil',
      'X-Forwarded-Proto': 'https',
    };
    const answer = await app.client().login({ username: 'nobody-here', password: 'wrong password' }).set(spoofed);
    expect(answer.status).toBe(401);
    const [event] = await app.rows<{ ip: string }>(
      `select host(ip) as ip from audit_events where type = 'login.failed' order by id desc limit 1`,
    );
    expect(event.ip).toBe('127.0.0.1');
  });
});

describe('a trusted proxy', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start({ TRUST_PROXY: '1' })));
  afterAll(() => app.stop());

  it.each([
    ['its client', '198.51.100.4, 203.0.113.9', '203.0.113.9'],
    ['itself where it forwards nonsense', `203.0.113.9, ' or 1=1`, '127.0.0.1'],
    ['an IPv4 client in IPv6 form', '::ffff:203.0.113.9', '203.0.113.9'],
  ])('names %s', async (_name, forwarded, expected) => {
    await app
      .client()
      .login({ username: 'nobody-here', password: 'wrong password' })
      .set('X-Forwarded-For', forwarded)
      .expect(401);
    const [event] = await app.rows<{ ip: string }>(
      `select host(ip) as ip from audit_events where type = 'login.failed' order by id desc limit 1`,
    );
    expect(event.ip).toBe(expected);
  });
});

function expectProblem({
  headers,
  body,
  text,
}: {
  headers: Record<string, string>;
  body: Record<string, unknown>;
  text: string;
}): void {
  expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(body).toMatchObject({
    type: expect.stringMatching(/^https?:.*\/problems\/[a-z_]+$/),
    title: expect.any(String),
    status: expect.any(Number),
    detail: expect.any(String),
    code: expect.any(String),
    request_id: headers['x-request-id'],
  });
  expect(text).not.toMatch(/node_modules|\.ts|\.js|select |zod|express/i);
}

function raw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import express from 'express';

import { temporaryFolders } from '../../test/support/temporary-folders.js';
import { ConfigError, loadConfig } from './config.js';

const GOOD = { MASTER_SECRET: 'p7Qm2xV9bK4nT6rY8wZ1cE3fH5jL0sDu', JWT_SECRET: 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA' };
const PRODUCTION = { ...GOOD, NODE_ENV: 'production', PUBLIC_URL: 'https://auth.example.com' };
const folder = temporaryFolders();
const load = (env: NodeJS.ProcessEnv, secretsDir = '/nonexistent') => loadConfig({ env, secretsDir });
const mistakesOf = (env: NodeJS.ProcessEnv): string => {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.toString();
    throw error;
  }
  throw new Error('no mistake was found');
};

describe('loadConfig', () => {
  it('lists every mistake at once, by name and without any value', () => {
    const text = mistakesOf({
      ...GOOD,
      PORT: 'eighty-leaked',
      THROTTLE_LOGIN: 'often-leaked',
      COOKIE_SAMESITE: 'leaked',
      DATABASE_URL: 'mysql://leaked',
    });
    for (const name of ['PORT', 'THROTTLE_LOGIN', 'COOKIE_SAMESITE', 'DATABASE_URL']) expect(text).toContain(name);
    expect(text).not.toContain('leaked');
  });

  it.each([
    ['a missing secret', { MASTER_SECRET: undefined }, 'MASTER_SECRET is missing'],
    ['a short secret', { JWT_SECRET: 'x7Qm2xV9bK4nT6rY8wZ1cE3fH5jL0sD' }, 'JWT_SECRET must be at least 32 bytes'],
    ['a short metrics token', { METRICS_TOKEN: '0123456789abcde' }, 'METRICS_TOKEN must be at least 16 bytes'],
    ['a well-known secret', { JWT_SECRET: 'your-256-bit-secret-your-256-bit-secret' }, 'JWT_SECRET is a well-known'],
    ['a repetitive secret', { JWT_SECRET: 'ab'.repeat(20) }, 'JWT_SECRET repeats'],
    ['one secret for both', { JWT_SECRET: GOOD.MASTER_SECRET }, 'are the same'],
    ['insecure cookies', { COOKIE_SECURE: 'false' }, 'COOKIE_SECURE must not be false'],
    ['a missing public URL', { PUBLIC_URL: undefined }, 'PUBLIC_URL is needed in production'],
    ['passkeys for another domain', { WEBAUTHN_RP_ID: 'example.org' }, 'WEBAUTHN_RP_ID must be the host of PUBLIC_URL'],
    ['passkeys for half a name', { WEBAUTHN_RP_ID: 'ample.com' }, 'WEBAUTHN_RP_ID must be the host of PUBLIC_URL'],
    ['every origin', { CORS_ORIGINS: '*' }, 'CORS_ORIGINS must list origins'],
  ])('refuses %s in production', (_name, env, mistake) => {
    expect(mistakesOf({ ...PRODUCTION, ...env })).toContain(mistake);
  });

  it('takes a good production configuration', () => {
    expect(load(PRODUCTION)).toMatchObject({
      production: true,
      cookies: { secure: true },
      notices: [],
    });
  });

  it('makes missing secrets outside production once, keeps them for the owner alone, and says so once', () => {
    const DATA_DIR = folder();
    const first = load({ DATA_DIR });
    expect(first.notices).toHaveLength(2);
    expect(statSync(path.join(DATA_DIR, 'master_secret')).mode & 0o777).toBe(0o600);
    const second = load({ DATA_DIR });
    expect(second.notices).toEqual([]);
    expect([second.masterSecret, second.tokens.secret]).toEqual([first.masterSecret, first.tokens.secret]);
    expect(first.masterSecret).not.toBe(first.tokens.secret);
    expect(readdirSync(DATA_DIR).toSorted()).toEqual(['jwt_secret', 'master_secret']);
  });

  it('keeps one secret where processes start together, and none of them reads half of it', async () => {
    const DATA_DIR = folder();
    const values = await Promise.all(Array.from({ length: 8 }, () => secretInProcess(DATA_DIR)));
    expect(new Set(values)).toEqual(new Set([readFileSync(path.join(DATA_DIR, 'master_secret'), 'utf8')]));
    expect(readdirSync(DATA_DIR)).toEqual(['master_secret']);
  });

  it('reads NAME_FILE and the secrets folder', () => {
    const dir = folder();
    writeFileSync(path.join(dir, 'elsewhere'), `${GOOD.MASTER_SECRET}\n`);
    writeFileSync(path.join(dir, 'jwt_secret'), `${GOOD.JWT_SECRET}\n`);
    const config = load({ MASTER_SECRET_FILE: path.join(dir, 'elsewhere') }, dir);
    expect(config.masterSecret).toBe(GOOD.MASTER_SECRET);
    expect(config.tokens.secret).toBe(GOOD.JWT_SECRET);
    expect(mistakesOf({ ...GOOD, PORT_FILE: '/nonexistent/port' })).toContain(
      'PORT_FILE names a file that cannot be read',
    );
  });

  it('is frozen, deeply', () => {
    const config = load(GOOD);
    expect(() => ((config.http as { port: number }).port = 1)).toThrow();
  });

  it.each([
    [{ DATABASE_URL: 'postgres://u:p@db:5432/n' }, 'postgres://u:p@db:5432/n'],
    [{ DATABASE_URL: 'postgres://u:p@/n?host=/run/pg' }, 'postgres://u:p@/n?host=/run/pg'],
    [{ DB_HOST: 'db', DB_PASSWORD: 'p@ss/word' }, 'postgres://latchkey:p%40ss%2Fword@db:5432/latchkey'],
    [{ DB_HOST: '/run/pg' }, 'postgres://latchkey:@localhost/latchkey?host=%2Frun%2Fpg&port=5432'],
    [{}, null],
  ])('finds the database of %j', (env, url) => {
    expect(load({ ...GOOD, ...env }).database.server?.url ?? null).toBe(url);
  });

  it.each([
    ['0', 0],
    ['2', 2],
    ['10.0.0.0/8, loopback', ['10.0.0.0/8', 'loopback']],
    ['203.0.113.7,2001:db8::/32, ::ffff:10.0.0.1', ['203.0.113.7', '2001:db8::/32', '::ffff:10.0.0.1']],
  ])('reads TRUST_PROXY %s', (value, expected) => {
    expect(load({ ...GOOD, TRUST_PROXY: value }).http.trustProxy).toEqual(expected);
  });

  it.each([
    ...['true', '*', 'foo', '10.0.0.0/8; drop', '1,2', '100', '10.0.0.0/99', '0.0.0.0/0', '2001:db8::/129'],
    ...['10.0.0/8', '10.0.0.256', '10.0.0.0/8,', 'loopback/8', 'fe80::1%eth0', ','],
  ])('refuses TRUST_PROXY %s, and does not show it', (value) => {
    expect(mistakesOf({ ...GOOD, TRUST_PROXY: value })).toBe(
      'The configuration has a mistake:\n' +
        '  - TRUST_PROXY must be a number of hops, or a list of addresses and networks, such as 10.0.0.0/8, loopback',
    );
  });

  it.each(['10.0.0.0/8', '203.0.113.7', '2001:db8::/32', '::ffff:10.0.0.1', 'loopback, uniquelocal', '::1/128'])(
    'takes no TRUST_PROXY that Express would not: %s',
    (value) => {
      const { trustProxy } = load({ ...GOOD, TRUST_PROXY: value }).http;
      expect(() => express().set('trust proxy', trustProxy)).not.toThrow();
    },
  );

  it('refuses a session that idles for longer than it may live', () => {
    expect(mistakesOf({ ...GOOD, SESSION_MAX_DAYS: '7' })).toContain('REFRESH_TOKEN_EXPIRE_DAYS');
  });
});

/** What a process of its own reads, at the same moment as others. */
async function secretInProcess(dataDir: string): Promise<string> {
  const script = `import(${JSON.stringify(pathToFileURL(path.resolve('dist/config/secrets.js')))})
    .then(({ keptSecret }) => process.stdout.write(keptSecret(process.argv[1], 'MASTER_SECRET').value))`;
  return (await promisify(execFile)(process.execPath, ['-e', script, dataDir])).stdout;
}

describe('.env.example', () => {
  it('lists every setting with a comment, and nothing else', async () => {
    const { renderEnvExample } = await import('./env-example.js');
    expect(readFileSync(path.resolve('.env.example'), 'utf8')).toBe(renderEnvExample());
  });
});

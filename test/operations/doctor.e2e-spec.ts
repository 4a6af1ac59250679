import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import pg from 'pg';

import type { Finding } from '../../src/commands/finding.js';
import { KeysService } from '../../src/keys/keys.service.js';
import { temporaryFolders } from '../support/temporary-folders.js';
import { TestApp } from '../support/test-app.js';

const newFolder = temporaryFolders();
const SECRETS = {
  MASTER_SECRET: 'c3VjaCBhIHNlY3JldCBuZXZlciBzYXcgdGhlIGRheQ',
  JWT_SECRET: 'YW5kIHRoaXMgb25lIG5laXRoZXIgc2F3IGFueSBsaWdodA',
};

describe('latchkey doctor', () => {
  let app: TestApp;
  let folder: string;
  beforeAll(async () => {
    app = await TestApp.start();
    folder = newFolder();
  });
  afterAll(() => app.stop());

  function doctor(
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ code: number; findings: Finding[]; out: string; ms: number }> {
    const begun = performance.now();
    const given = { PATH: process.env.PATH, DATA_DIR: folder, DATABASE_URL: app.databaseUrl, ...SECRETS, ...env };
    return new Promise((resolve) =>
      execFile(
        process.execPath,
        [path.resolve('dist/cli.js'), '--json', 'doctor'],
        { cwd: folder, env: given },
        (error, out) =>
          resolve({
            code: (error?.code as number | undefined) ?? 0,
            findings: JSON.parse(out) as Finding[],
            out,
            ms: performance.now() - begun,
          }),
      ),
    );
  }

  const of = (findings: Finding[], check: string) => findings.find((finding) => finding.check === check);

  it('finds nothing wrong where nothing is, and changes nothing', async () => {
    await app.givenAdmin();
    const before = await app.rows('select count(*) from users');
    const { code, findings } = await doctor();
    expect(code).toBe(0);
    expect(findings.filter(({ state }) => state === 'wrong')).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        'database',
        'schema',
        'clock',
        'proxy',
        'cookies',
        'keys',
        'limits',
        'redis',
        'hashing',
        'passkeys',
      ]),
    );
    expect(await app.rows('select count(*) from users')).toEqual(before);
  });

  it.each([
    ['a database that is away', { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' }, 'database', 'wrong', /does not answer/],
    [
      'a wrong password of it',
      { DATABASE_URL: 'postgres://nobody:wrong@127.0.0.1:1/x' },
      'database',
      'wrong',
      /does not answer/,
    ],
    ['a Redis that is away', { REDIS_URL: 'redis://127.0.0.1:1' }, 'redis', 'wrong', /does not answer/],
    [
      'https without a trusted proxy',
      { PUBLIC_URL: 'https://auth.example.com' },
      'proxy',
      'warning',
      /no proxy is trusted/,
    ],
    ['http on a public name', { PUBLIC_URL: 'http://auth.example.com' }, 'proxy', 'warning', /PUBLIC_URL is http/],
    [
      'cookies of another domain',
      { PUBLIC_URL: 'https://auth.example.com', TRUST_PROXY: '1', COOKIE_DOMAIN: 'example.org' },
      'cookies',
      'wrong',
      /COOKIE_DOMAIN example.org/,
    ],
    [
      'insecure cookies on https',
      { PUBLIC_URL: 'https://auth.example.com', TRUST_PROXY: '1', COOKIE_SECURE: 'false' },
      'cookies',
      'wrong',
      /not Secure/,
    ],
    ['a short secret of tokens', { JWT_SECRET: 'short' }, 'keys', 'wrong', /at least 32 bytes/],
    ['a short secret of its own', { MASTER_SECRET: 'short' }, 'keys', 'warning', /MASTER_SECRET/],
    ['limits that are off', { THROTTLE_LOGIN: 'off' }, 'limits', 'warning', /THROTTLE_LOGIN/],
    ['a lax lockout', { LOCKOUT_ATTEMPTS: '50' }, 'limits', 'warning', /50 wrong passwords/],
    ['a breach file that is not there', { PASSWORD_BREACH_FILE: '/nonexistent' }, 'breached passwords', 'wrong', /./],
    ['passkeys for an address', { PUBLIC_URL: 'http://192.0.2.1' }, 'passkeys', 'warning', /browsers make none/],
    ['a setting that is none', { THROTTLE_LOGIN: 'often' }, 'configuration', 'wrong', /THROTTLE_LOGIN must be/],
  ])('finds %s, within three seconds', async (_, env, check, state, found) => {
    const { code, findings, ms } = await doctor(env);
    const finding = of(findings, check);
    expect(finding).toMatchObject({ state, found: expect.stringMatching(found) as string });
    expect(finding!.advice).not.toBeNull();
    expect(code).toBe(state === 'wrong' ? 1 : 0);
    expect(ms).toBeLessThan(3000);
  });

  it('finds a keys file without a key', async () => {
    const file = path.join(folder, 'keys.json');
    writeFileSync(file, '{"keys":[]}');
    const { findings } = await doctor({ JWT_ALG: 'EdDSA', JWT_KEYS_FILE: file });
    expect(of(findings, 'keys')).toMatchObject({
      state: 'wrong',
      found: expect.stringContaining('no keys') as string,
    });
  });

  it('finds a keys file that cannot be read, and that no key signs yet', async () => {
    const { findings } = await doctor({ JWT_KEYS_FILE: path.join(folder, 'nosuch.json') });
    expect(of(findings, 'keys')).toMatchObject({ state: 'wrong', found: 'JWT_KEYS_FILE cannot be read as a JWK Set' });
    expect(of((await doctor({ JWT_ALG: 'ES256' })).findings, 'keys')).toMatchObject({
      state: 'warning',
      found: 'none signs yet',
    });
  });

  it('finds keys that are old, that another MASTER_SECRET sealed, or that none opens', async () => {
    const other = await TestApp.start(SECRETS);
    try {
      const keys = other.app.get(KeysService, { strict: false });
      const source = { ip: '127.0.0.1', userAgent: null, requestId: 'test' };
      const { kid } = (await keys.generate('EdDSA', null, source)).key;
      await keys.activate(kid, true, source);
      await other.givenTotp();
      const at = (env: NodeJS.ProcessEnv = {}) => doctor({ DATABASE_URL: other.databaseUrl, ...env });
      const well = (await at()).findings;
      expect(of(well, 'keys')).toMatchObject({ state: 'ok', found: 'EdDSA, of the database' });
      expect(of(well, 'master secret')).toMatchObject({ state: 'ok' });

      const next = { MASTER_SECRET: 'bmV3IHNlY3JldHMgYXJlIG5vdCBrbm93biB0byBhbnlib2R5' };
      const lost = (await at(next)).findings;
      expect(of(lost, 'keys')).toMatchObject({ state: 'wrong', found: `MASTER_SECRET does not open the key ${kid}` });
      expect(of(lost, 'master secret')).toMatchObject({ state: 'wrong', found: 'it does not open 2 seeds or keys' });
      const changed = (await at({ ...next, MASTER_SECRET_PREVIOUS: SECRETS.MASTER_SECRET })).findings;
      expect(of(changed, 'keys')).toMatchObject({ state: 'ok' });
      expect(of(changed, 'master secret')).toMatchObject({
        state: 'warning',
        found: '2 seeds or keys are still sealed under MASTER_SECRET_PREVIOUS',
      });

      await other.rows("update signing_keys set active_from = now() - interval '400 days'");
      expect(of((await at()).findings, 'keys')).toMatchObject({
        state: 'warning',
        found: `${kid} has signed for 400 days`,
      });
    } finally {
      await other.stop();
    }
  });

  it('finds that the service started with another MASTER_SECRET, where nothing is sealed yet', async () => {
    const other = await TestApp.start(SECRETS);
    try {
      const source = { ip: '127.0.0.1', userAgent: null, requestId: 'test' };
      await other.app.get(KeysService, { strict: false }).ensureSigningKey(source);
      const at = { DATABASE_URL: other.databaseUrl };
      expect(of((await doctor(at)).findings, 'master secret')).toMatchObject({ state: 'ok' });
      const foreign = { ...at, MASTER_SECRET: 'bmV3IHNlY3JldHMgYXJlIG5vdCBrbm93biB0byBhbnlib2R5' };
      expect(of((await doctor(foreign)).findings, 'master secret')).toMatchObject({
        state: 'warning',
        found: 'the service last started with another one',
      });
    } finally {
      await other.stop();
    }
  });

  it('finds what is wrong in the database: no schema, a newer one, an audit log that can be changed, no administrator', async () => {
    const other = await TestApp.start();
    try {
      const at = { DATABASE_URL: other.databaseUrl };
      expect(of((await doctor(at)).findings, 'administrators')).toMatchObject({
        state: 'warning',
        found: 'there is none',
      });
      await other.rows('alter table audit_events_default disable trigger audit_events_append_only');
      expect(of((await doctor(at)).findings, 'audit')).toMatchObject({ state: 'wrong' });
      await other.rows("insert into migrations (timestamp, name) values (1, 'from-the-future-1')");
      expect(of((await doctor(at)).findings, 'schema')).toMatchObject({
        state: 'wrong',
        found: expect.stringContaining('newer') as string,
      });
      await other.rows('drop table migrations');
      expect(of((await doctor(at)).findings, 'schema')).toMatchObject({ state: 'warning' });
    } finally {
      await other.stop();
    }
  });

  it('finds a role that may do more than the service does', async () => {
    const { findings } = await doctor({ DATABASE_URL: app.ownerUrl });
    expect(of(findings, 'database rights')).toMatchObject({
      state: 'warning',
      found: expect.stringContaining('change audit rows') as string,
    });
    expect(of((await doctor()).findings, 'database rights')).toMatchObject({ state: 'ok' });
  });

  it('finds that the role of the service was not made yet', async () => {
    const DATABASE_URL = app.databaseUrl.replace(/^(\w+:\/\/)[^@]*/, '$1nobody_yet:secret');
    const { findings } = await doctor({ DATABASE_URL, DATABASE_MIGRATION_URL: app.ownerUrl });
    expect(of(findings, 'database rights')).toMatchObject({
      state: 'warning',
      found: expect.stringContaining('refused') as string,
    });
  });

  it('shows no secret', async () => {
    const password = new pg.Client({ connectionString: app.databaseUrl }).password as string | null;
    for (const env of [
      {},
      { JWT_SECRET: 'short-secret' },
      { DATABASE_URL: 'postgres://u:database-secret@127.0.0.1:1/x' },
    ]) {
      const { out } = await doctor(env);
      for (const secret of [
        ...Object.values(SECRETS),
        'short-secret',
        'database-secret',
        ...(password ? [password] : []),
      ])
        expect(out).not.toContain(secret);
    }
  });
});

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

import request from 'supertest';

import { eventually, ServiceProcess } from '../support/service-process.js';
import { temporaryFolders } from '../support/temporary-folders.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const newFolder = temporaryFolders();
const SECRETS = { MASTER_SECRET: 'mJ4rT8yN2mQ6wX1cB5hL9pS3dF7gAkZ0v', JWT_SECRET: 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA' };

describe('a start', () => {
  let database: TestDatabase;
  const started: ServiceProcess[] = [];
  beforeEach(async () => (database = await createTestDatabase()));
  afterEach(async () => {
    for (const service of started.splice(0)) if (service.child.exitCode === null) await service.stop('SIGKILL');
    await database.drop();
  });

  const serve = (env: NodeJS.ProcessEnv = {}) => {
    const service = ServiceProcess.start({ PORT: '0', DATABASE_URL: database.url, ...SECRETS, ...env });
    started.push(service);
    return service;
  };
  const ready = async (service: ServiceProcess): Promise<string> => {
    const url = await service.url();
    await eventually(async () => (await request(url).get('/health/ready')).status === 200);
    return url;
  };
  const latchkey = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const given = { PATH: process.env.PATH, DATABASE_URL: database.url, ...SECRETS, ...env };
      execFile(process.execPath, [path.resolve('dist/cli.js'), '--json', ...args], { env: given }, (error, out, err) =>
        resolve({ code: (error?.code as number | undefined) ?? 0, out, err }),
      );
    });
  const register = async (url: string) => {
    const person = { username: 'ada', email: 'ada@example.com', password: 'correct-horse-battery' };
    const answer = await request(url).post('/auth/register').set('X-Auth-Transport', 'body').send(person).expect(201);
    return JSON.parse(Buffer.from((answer.body.access_token as string).split('.')[0], 'base64url').toString());
  };

  it('with JWT_ALG=EdDSA and no key makes one in the database, which replicas share and later starts find', async () => {
    const env = { JWT_ALG: 'EdDSA', JWT_SECRET: undefined };
    const urls = await Promise.all([serve(env), serve(env)].map(ready));
    const [one, two] = await Promise.all(
      urls.map(async (url) => (await request(url).get('/.well-known/jwks.json')).body.keys),
    );
    expect(one).toHaveLength(1);
    expect(two).toEqual(one);
    expect(await register(urls[0])).toMatchObject({ alg: 'EdDSA', kid: one[0].kid });
    for (const service of started.splice(0)) await service.stop();
    const url = await ready(serve(env));
    expect((await request(url).get('/.well-known/jwks.json')).body.keys).toEqual(one);
  });

  it('without the database publishes no set of keys that lacks its own', async () => {
    const away = { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' };
    const url = await serve({ JWT_ALG: 'EdDSA', JWT_SECRET: undefined, ...away }).url();
    const { headers, body } = await request(url).get('/.well-known/jwks.json').expect(503);
    expect([headers['cache-control'], headers['retry-after'], body.code]).toEqual(['no-store', '1', 'overloaded']);
  });

  it('after kill -9 between generate and activate goes on as if nothing was', async () => {
    const service = serve();
    await ready(service);
    const { kid } = JSON.parse((await latchkey({}, 'keys', 'generate')).out) as { kid: string };
    await service.stop('SIGKILL');
    const url = await ready(serve());
    expect(await register(url)).toMatchObject({ alg: 'HS256' });
    expect((await request(url).get('/.well-known/jwks.json')).body.keys).toMatchObject([{ kid }]);
    expect((await latchkey({}, 'keys', 'activate', kid, '--now')).code).toBe(0);
  });

  it('with a MASTER_SECRET that opens no key ends with a clear line; the one before, as MASTER_SECRET_PREVIOUS, mends it', async () => {
    const { kid } = JSON.parse((await latchkey({}, 'keys', 'generate')).out) as { kid: string };
    const changed = { MASTER_SECRET: 'Q6wX1cB5hL9pS3dF7gAkZ0vmJ4rT8yN2m' };
    const service = serve(changed);
    expect((await service.exited).code).toBe(1);
    expect(service.text).toContain(`MASTER_SECRET does not open the signing key ${kid} of the database`);
    for (const secret of Object.values({ ...SECRETS, ...changed })) expect(service.text).not.toContain(secret);
    const refused = await latchkey(changed, 'keys', 'generate');
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(`does not open the key ${kid}`)]);
    const both = { ...changed, MASTER_SECRET_PREVIOUS: SECRETS.MASTER_SECRET };
    expect((await latchkey(both, 'keys', 'list')).code).toBe(0); // before any replica has the new one: seals nothing
    await ready(serve());
    await ready(serve(both));
    await ready(serve(changed)); // sealed anew
  });

  describe('holds commands to its MASTER_SECRET:', () => {
    const foreign = { MASTER_SECRET: 'Q6wX1cB5hL9pS3dF7gAkZ0vmJ4rT8yN2m' };
    const states = async () =>
      (JSON.parse((await latchkey({}, 'keys', 'list')).out) as { kid: string; state: string }[]).map((key) => [
        key.kid,
        key.state,
      ]);
    async function expectRefused(kid: string): Promise<void> {
      const before = await states();
      for (const command of [
        ['generate'],
        ['activate', kid, '--now'],
        ['retire', kid],
        ['retire', kid, '--compromised'],
      ]) {
        const { code, err } = await latchkey(foreign, 'keys', ...command);
        expect([code, err]).toEqual([1, expect.stringMatching(/MASTER_SECRET .* nothing was changed/)]);
      }
      expect(await states()).toEqual(before);
    }

    it('another one changes no key of the database, and the service goes on', async () => {
      const url = await ready(serve());
      const { kid } = JSON.parse((await latchkey({}, 'keys', 'generate')).out) as { kid: string };
      expect((await latchkey({}, 'keys', 'activate', kid, '--now')).code).toBe(0);
      await expectRefused(kid);
      expect(await register(url)).toMatchObject({ kid });
    });

    it('another one changes nothing where no key of the database is there yet', async () => {
      await ready(serve());
      const [[kid]] = await states(); // of JWT_SECRET
      await expectRefused(kid);
      expect((await latchkey({}, 'keys', 'retire', kid, '--compromised')).code).toBe(0);
    });

    it('a start that has the one before as MASTER_SECRET_PREVIOUS moves it on', async () => {
      const service = serve();
      await ready(service);
      await service.stop();
      await ready(serve({ ...foreign, MASTER_SECRET_PREVIOUS: SECRETS.MASTER_SECRET }));
      expect((await latchkey({}, 'keys', 'generate')).code).toBe(1);
      expect((await latchkey(foreign, 'keys', 'generate')).code).toBe(0);
    });

    it('where that is lost, its keys are given up, and the next start makes another one', async () => {
      const env = { JWT_ALG: 'EdDSA', JWT_SECRET: undefined };
      const service = serve(env);
      const url = await ready(service);
      const { kid } = await register(url);
      await service.stop();
      const lost = { ...env, ...foreign };
      expect((await latchkey(env, 'keys', 'retire', kid, '--secret-lost')).err).toContain('no secret is lost');
      expect((await latchkey(lost, 'keys', 'retire', kid, '--secret-lost')).code).toBe(0);
      const { body } = await request(await ready(serve(lost))).get('/.well-known/jwks.json');
      expect(body.keys).toHaveLength(1);
      expect(body.keys[0].kid).not.toBe(kid);
    });
  });

  it.each([
    ['that is not there', null, 'JWT_KEYS_FILE cannot be read'],
    ['with a secret of 31 bytes', { kty: 'oct', k: Buffer.alloc(31, 7).toString('base64url') }, 'at least 32 bytes'],
    [
      'with a point off its curve',
      {
        kty: 'EC',
        crv: 'P-256',
        x: Buffer.alloc(32, 1).toString('base64url'),
        y: Buffer.alloc(32, 2).toString('base64url'),
      },
      'key 1: a key is not a valid key',
    ],
  ])('with a keys file %s ends with a clear line', async (_, jwk, mistake) => {
    const file = path.join(newFolder(), 'keys.json');
    if (jwk) writeFileSync(file, JSON.stringify({ keys: [jwk] }));
    const begun = performance.now();
    const service = serve({ JWT_KEYS_FILE: file });
    expect((await service.exited).code).toBe(1);
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(service.text).toContain(mistake);
  });

  it('of a command that is called wrongly says how it is called', async () => {
    expect((await latchkey({}, 'keys', 'generate', '--alg', 'none')).code).toBe(2);
    expect((await latchkey({}, 'keys', 'activate')).code).toBe(2);
    const early = JSON.parse((await latchkey({}, 'keys', 'generate')).out) as { kid: string };
    const refused = await latchkey({}, 'keys', 'activate', early.kid);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain('activate it then, or with --now');
  });
});

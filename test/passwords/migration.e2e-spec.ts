import { createHash, pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto';

import argon2 from 'argon2';
import { hash as bcryptHash } from '@node-rs/bcrypt';

import { type Person, TestApp } from '../support/test-app.js';

const PASSWORD = 'correct-horse-battery';
const b64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');

describe('accounts of an old system', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const salt = randomBytes(16);
  const ssha = Buffer.concat([createHash('sha1').update(PASSWORD).update(salt).digest(), salt]).toString('base64');
  const schemes: [string, () => string | Promise<string>][] = [
    ['bcrypt $2b$', () => bcryptHash(PASSWORD, 10)],
    ['bcrypt $2a$', async () => (await bcryptHash(PASSWORD, 10)).replace('$2b$', '$2a$')],
    ['bcrypt $2y$', async () => (await bcryptHash(PASSWORD, 10)).replace('$2b$', '$2y$')],
    ['bare SHA-256', () => createHash('sha256').update(PASSWORD).digest('hex')],
    [
      'scrypt',
      () => `$scrypt$ln=14,r=8,p=1$${b64(salt)}$${b64(scryptSync(PASSWORD, salt, 32, { N: 16_384, r: 8, p: 1 }))}`,
    ],
    [
      'PBKDF2 of Django',
      () => `pbkdf2_sha256$60000$seasalt$${pbkdf2Sync(PASSWORD, 'seasalt', 60_000, 32, 'sha256').toString('base64')}`,
    ],
    ['{SSHA}', () => `{SSHA}${ssha}`],
    [
      'Argon2id of another cost',
      () => argon2.hash(PASSWORD, { type: argon2.argon2id, memoryCost: 65_536, timeCost: 3, parallelism: 4 }),
    ],
  ];

  const setHash = (person: Person, hash: string) =>
    app.rows('update users set password_hash = $2 where id = $1', [person.id, hash]);
  const hashOf = async (person: Person) =>
    (await app.rows<{ hash: string }>('select password_hash as hash from users where id = $1', [person.id]))[0].hash;

  it.each(schemes)('with %s sign in as before, and then have Argon2id in the row', async (_name, make) => {
    const person = await app.givenPerson({ password: PASSWORD });
    await setHash(person, await make());
    await app
      .client()
      .login({ ...person, password: 'not the password' })
      .expect(401);
    expect(await hashOf(person)).not.toContain('m=19456');
    await app.client().login(person).expect(200);
    expect(await hashOf(person)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await app.auditTypes(person.id)).toContain('password.rehashed');
    await app.client().login(person).expect(200);
    expect((await app.auditTypes(person.id)).filter((type) => type === 'password.rehashed')).toHaveLength(1);
  });

  it('are re-hashed once by two that sign in at once, and a change of password in between wins', async () => {
    const person = await app.givenPerson({ password: PASSWORD });
    await setHash(person, createHash('sha256').update(PASSWORD).digest('hex'));
    const lock = 'select 1 from users where id = $1 for update';
    const answers = await app.whileLocked(lock, [person.id], 2, () =>
      [1, 2].map(async () => app.client().login(person)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await app.auditTypes(person.id)).filter((type) => type === 'password.rehashed')).toHaveLength(1);
  });

  it.each([
    ['corrupt', '$argon2id$v=19$m=19456,t=2,p=1$nonsense'],
    ['of no scheme', 'plain text perhaps'],
    [
      'absurdly costly',
      '$argon2id$v=19$m=4194304,t=100,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZWhhc2hzb21laGFzaHNvbWVoYXNoc29tZWhhc2g',
    ],
    ['absurdly costly in bcrypt', `$2b$31$${'a'.repeat(53)}`],
    ['empty', ''],
  ])('whose hash is %s get the ordinary 401, in time, and it is logged once', async (_name, hash) => {
    const person = await app.givenPerson();
    await setHash(person, hash);
    const before = app.log.split('a stored password hash cannot be used').length;
    const begun = performance.now();
    for (let time = 0; time < 3; time++) {
      const { body } = await app.client().login(person).expect(401);
      expect(body.code).toBe('invalid_credentials');
    }
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(app.log.split('a stored password hash cannot be used').length - before).toBe(1);
    if (hash) expect(app.log).not.toContain(hash);
  });
});

describe('a flood of sign-ins', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  it('is answered with 503 and Retry-After past the queue, before any database work, and ends', async () => {
    const person = await app.givenPerson();
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, at) =>
        app.client().login({ username: `stranger${at}`, password: 'not the password' }),
      ),
    );
    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 401).length + refused.length).toBe(300);
    expect(refused.length).toBeGreaterThan(0);
    for (const { body, headers } of refused) {
      expect(body.code).toBe('overloaded');
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    const counted = await app.rows('select 1 from login_counters where attempts > 0');
    expect(counted.length).toBe(2 * (300 - refused.length));
    await app.client().login(person).expect(200);
  });

  it('and a password of 1 MB is refused before anything is hashed', async () => {
    const begun = performance.now();
    await app
      .client()
      .login({ username: 'ada', password: 'x'.repeat(1_000_000) })
      .expect(413);
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

import { createCipheriv, createHash, pbkdf2Sync, randomBytes, randomUUID, scryptSync } from 'node:crypto';

import { hash as bcrypt } from '@node-rs/bcrypt';
import argon2 from 'argon2';
import { ScureBase32Plugin } from 'otplib';

import type { ImportOptions } from '../../src/import/user-importer.js';
import { AuthenticatorApp } from '../support/authenticator-app.js';
import { importFiles, jsonLines, newName } from '../support/import-files.js';
import { TestApp } from '../support/test-app.js';

const PASSWORD = 'the-one-of-the-old-system';
const CREATED = '2021-03-04T05:06:07.000Z';
const CREATED_MS = Date.parse(CREATED);
const SIGNER_KEY = randomBytes(64);
const SEPARATOR = 'Bw==';

const b64 = (bytes: Buffer) => bytes.toString('base64');
const newSeed = () => new ScureBase32Plugin().encode(randomBytes(20)).replace(/=+$/, '');
const text = (value: object) => JSON.stringify(value);

/** What every export here says of one person; `totp` only where the system tells seeds. */
interface Told {
  name: string;
  email: string;
  id: string;
  seed: string;
}

interface Sample {
  extension: string;
  content: (told: Told) => Promise<string>;
  options?: Partial<ImportOptions>;
  /** What this export cannot tell. */
  lacks?: ('username' | 'totp' | 'created' | 'orgId' | 'roles' | 'verified')[];
}

async function firebaseUser({ email, id }: Told) {
  const salt = randomBytes(10);
  const cost = { N: 2 ** 14, r: 8, p: 1 };
  const key = scryptSync(PASSWORD, Buffer.concat([salt, Buffer.from(SEPARATOR, 'base64')]), 32, cost);
  const hash = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(SIGNER_KEY);
  return {
    localId: id,
    email,
    emailVerified: true,
    passwordHash: b64(hash),
    salt: b64(salt),
    createdAt: String(CREATED_MS),
  };
}
const firebase = { signerKey: b64(SIGNER_KEY), saltSeparator: SEPARATOR, rounds: 8, memoryCost: 14 };
const claims = text({ roles: ['editor'], org_id: 'acme' });

function keycloakRealm({ name, email, id, seed }: Told, password: object): string {
  const users = [
    {
      id,
      username: name,
      email,
      emailVerified: true,
      enabled: true,
      createdTimestamp: CREATED_MS,
      realmRoles: ['default-roles-old', 'offline_access', 'editor'],
      attributes: { org_id: ['acme'], phone: ['1'] },
      credentials: [
        { type: 'password', ...password },
        {
          type: 'otp',
          userLabel: 'Phone',
          secretData: text({ value: seed }),
          credentialData: text({ subType: 'totp', digits: 6, counter: 0, period: 30, algorithm: 'HmacSHA1' }),
        },
      ],
    },
    { id: randomUUID(), username: 'service-account-shop', enabled: true, serviceAccountClientId: 'shop' },
  ];
  return JSON.stringify(
    { realm: 'old', enabled: true, roles: { realm: [{ name: 'editor' }] }, clients: [{}], users },
    null,
    2,
  );
}
const keycloakPbkdf2 = (digest: string, iterations: number) => {
  const salt = randomBytes(16);
  const value = b64(pbkdf2Sync(PASSWORD, salt, iterations, 64, digest));
  return {
    secretData: text({ value, salt: b64(salt), additionalParameters: {} }),
    credentialData: text({ hashIterations: iterations, algorithm: `pbkdf2-${digest}`, additionalParameters: {} }),
  };
};

/** Keycloak's seeds are the bytes of the text that it stores. */
const isKeycloak = (name: string) => name.startsWith('keycloak');

const betterAuthHash = () => {
  const salt = randomBytes(16).toString('hex');
  const key = scryptSync(PASSWORD.normalize('NFKC'), salt, 64, { N: 16_384, r: 16, p: 1, maxmem: 2 ** 26 });
  return `${salt}:${key.toString('hex')}`;
};

const SAMPLES: Record<string, Sample> = {
  'latchkey as JSON Lines': {
    extension: '.jsonl',
    content: async ({ name, email, id, seed }) =>
      jsonLines([
        {
          id,
          username: name,
          email,
          email_verified: true,
          password_hash: await bcrypt(PASSWORD, 4),
          totp: [seed],
          roles: ['user', 'editor'],
          created_at: CREATED,
          attributes: { org_id: 'acme' },
        },
      ]),
  },
  'latchkey as CSV': {
    extension: '.csv',
    content: async ({ name, email, id, seed }) =>
      'username,email,email_verified,password_hash,totp,roles,created_at,org_id,id\r\n' +
      `${name},"${email}",true,${await bcrypt(PASSWORD, 4)},${seed},"user,editor",${CREATED},acme,${id}\r\n`,
  },
  'supabase as JSON Lines': {
    extension: '.json',
    lacks: ['username'],
    content: async ({ email, id, seed }) =>
      jsonLines([
        {
          instance_id: '00000000-0000-0000-0000-000000000000',
          id,
          aud: 'authenticated',
          role: 'authenticated',
          email,
          encrypted_password: (await bcrypt(PASSWORD, 10)).replace('$2b$', '$2a$'),
          email_confirmed_at: '2021-03-05T00:00:00+00:00',
          raw_app_meta_data: { provider: 'email', roles: ['editor'], org_id: 'acme' },
          raw_user_meta_data: { roles: ['admin'] },
          created_at: CREATED,
          banned_until: null,
          deleted_at: null,
          is_anonymous: false,
          mfa_factors: [
            { factor_type: 'totp', status: 'verified', secret: seed, friendly_name: 'Phone' },
            { factor_type: 'totp', status: 'unverified', secret: 'not base32!' },
          ],
        },
        { id: randomUUID(), email: 'gone@example.com', encrypted_password: '', deleted_at: CREATED },
      ]),
  },
  'supabase as tables': {
    extension: '.json',
    lacks: ['username', 'orgId', 'roles'],
    content: async ({ email, id, seed }) =>
      JSON.stringify({
        mfa_factors: [
          { user_id: randomUUID(), factor_type: 'totp', status: 'verified', secret: newSeed() },
          { user_id: id, factor_type: 'totp', status: 'verified', secret: seed },
        ],
        users: [
          {
            id,
            email,
            encrypted_password: await bcrypt(PASSWORD, 4),
            email_confirmed_at: CREATED,
            created_at: CREATED,
          },
        ],
      }),
  },
  'supabase as CSV': {
    extension: '.csv',
    lacks: ['username', 'totp'],
    content: async ({ email, id }) =>
      'id,email,encrypted_password,email_confirmed_at,raw_app_meta_data,created_at\n' +
      `${id},${email},${await bcrypt(PASSWORD, 4)},2021-03-05 00:00:00+00,"{""roles"": [""editor""], ""org_id"": ""acme""}",${CREATED}\n`,
  },
  'better-auth as tables': {
    extension: '.json',
    lacks: ['totp', 'orgId'],
    content: async ({ name, email, id }) =>
      JSON.stringify({
        user: [{ id, name: 'Ada', email, emailVerified: true, username: name, role: 'editor', createdAt: CREATED }],
        session: [{ token: 'x', userId: id }],
        account: [
          { id: '1', accountId: '7', providerId: 'google', userId: id, password: null },
          { id: '2', accountId: id, providerId: 'credential', userId: id, password: betterAuthHash() },
        ],
      }),
  },
  'better-auth as JSON Lines': {
    extension: '.jsonl',
    lacks: ['totp', 'orgId', 'username'],
    content: async ({ email, id }) =>
      jsonLines([
        {
          id,
          email,
          email_verified: true,
          role: 'editor',
          created_at: CREATED,
          accounts: [{ provider_id: 'credential', user_id: id, password: betterAuthHash() }],
        },
      ]),
  },
  'keycloak with PBKDF2-SHA256': {
    extension: '.json',
    content: async (told) => keycloakRealm(told, keycloakPbkdf2('sha256', 27_500)),
  },
  'keycloak with PBKDF2-SHA512': {
    extension: '.json',
    content: async (told) => keycloakRealm(told, keycloakPbkdf2('sha512', 30_000)),
  },
  'keycloak with Argon2': {
    extension: '.json',
    content: async (told) => {
      const salt = randomBytes(16);
      const options = { salt, raw: true, memoryCost: 7168, timeCost: 5, parallelism: 1, hashLength: 32 } as const;
      const value = b64(await argon2.hash(PASSWORD, { type: argon2.argon2id, ...options }));
      const additionalParameters = {
        hashLength: ['32'],
        memory: ['7168'],
        type: ['id'],
        version: ['1.3'],
        parallelism: ['1'],
      };
      return keycloakRealm(told, {
        secretData: text({ value, salt: b64(salt), additionalParameters: {} }),
        credentialData: text({ hashIterations: 5, algorithm: 'argon2', additionalParameters }),
      });
    },
  },
  'firebase as JSON': {
    extension: '.json',
    lacks: ['username', 'totp'],
    options: { firebase },
    content: async (told) =>
      JSON.stringify({ users: [{ ...(await firebaseUser(told)), customAttributes: claims, providerUserInfo: [] }] }),
  },
  'firebase as CSV': {
    extension: '.csv',
    lacks: ['username', 'totp', 'orgId', 'roles'],
    options: { firebase },
    content: async (told) => {
      const { localId, email, passwordHash, salt, createdAt } = await firebaseUser(told);
      return `${[localId, email, 'true', passwordHash, salt, 'Ada', '', ...Array<string>(16).fill(''), createdAt, createdAt, '', 'false'].join(',')},\n`;
    },
  },
  'auth0 as its support exports it': {
    extension: '.ndjson',
    lacks: ['username', 'totp', 'created', 'orgId', 'roles'],
    content: async ({ email, id }) =>
      jsonLines([
        {
          _id: { $oid: id.replaceAll('-', '').slice(0, 24) },
          email,
          email_verified: true,
          passwordHash: await bcrypt(PASSWORD, 10),
          tenant: 'old',
          connection: 'Username-Password-Authentication',
        },
      ]),
  },
  'auth0 as its bulk import takes it': {
    extension: '.json',
    content: async ({ name, email, id, seed }) => {
      const salt = randomBytes(16);
      const value = scryptSync(PASSWORD, salt, 64, { N: 16_384, r: 8, p: 1 }).toString('hex');
      const scrypt = {
        algorithm: 'scrypt',
        hash: { value, encoding: 'hex' },
        salt: { value: salt.toString('hex'), encoding: 'hex' },
        keylen: 64,
        cost: 16_384,
        blockSize: 8,
        parallelization: 1,
      };
      return JSON.stringify([
        {
          user_id: id,
          username: name,
          email,
          email_verified: true,
          created_at: CREATED,
          custom_password_hash: scrypt,
          app_metadata: { roles: ['editor'], org_id: 'acme' },
          user_metadata: { roles: ['admin'] },
          mfa_factors: [{ totp: { secret: seed } }, { phone: { value: '+15551234567' } }],
        },
      ]);
    },
  },
};

describe('accounts of another system', () => {
  const { importText } = importFiles();
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start();
    await app.rows(`insert into roles (name) values ('editor')`);
  });
  afterAll(() => app.stop());

  const claimsOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()) as Record<string, unknown>;

  it.each(Object.entries(SAMPLES))('from %s sign in at once as before', async (name, sample) => {
    const told: Told = { name: newName(), email: `${newName()}@example.com`, id: randomUUID(), seed: newSeed() };
    const lacks = (what: NonNullable<Sample['lacks']>[number]) => sample.lacks?.includes(what) === true;
    const content = await sample.content(told);
    const { report, bad, format } = await importText(app, content, sample.extension, sample.options);
    expect(bad).toEqual([]);
    expect(format).toBe(name.split(' ')[0]);
    expect(report).toMatchObject({ outcome: 'imported', imported: 1, bad: 0 });

    const login = await app.client().login({ username: told.email, password: PASSWORD }).expect(200);
    let { body } = login;
    if (!lacks('totp')) {
      expect(body.mfa_required).toBe(true);
      const secret = isKeycloak(name) ? new ScureBase32Plugin().encode(Buffer.from(told.seed)) : told.seed;
      const code = new AuthenticatorApp(secret, () => app.now).code();
      const second = app.client().send('post', '/auth/2fa/verify').send({ mfa_token: body.mfa_token, code });
      ({ body } = await second.expect(200));
    }
    expect(claimsOf(body.access_token as string)).toMatchObject({
      roles: lacks('roles') ? ['user'] : ['editor', 'user'],
    });
    expect(claimsOf(body.access_token as string).org_id).toBe(lacks('orgId') ? undefined : 'acme');
    expect(body.user).toMatchObject({ email: told.email, email_verified: true, must_change_password: false });
    if (!lacks('username')) expect(body.user.username).toBe(told.name);
    if (!lacks('created')) expect(body.user.created_at).toBe(CREATED);

    const [row] = await app.rows<{ hash: string; attributes: Record<string, unknown> }>(
      'select password_hash as hash, attributes from users where email = $1',
      [told.email],
    );
    expect(row.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/); // hashed anew at once
    expect(String(row.attributes.external_id).slice(0, 8)).toBe(told.id.slice(0, 8));
    expect(await app.auditTypes(body.user.id as string)).toEqual(
      expect.arrayContaining(['user.imported', 'login.succeeded']),
    );
    await app
      .client()
      .login({ username: told.email, password: `${PASSWORD}!` })
      .expect(401);
  });

  it('keep their state: disabled, not verified, to change the password, without one', async () => {
    const password_hash = createHash('sha256').update(PASSWORD).digest('hex');
    const person = (more: object) => ({
      username: newName(),
      email: `${newName()}@example.com`,
      password_hash,
      ...more,
    });
    const [disabled, unproven, changing] = [
      person({ is_active: false }),
      person({}),
      person({ must_change_password: true }),
    ];
    const { password_hash: _, ...without } = person({});
    const { report } = await importText(app, jsonLines([disabled, unproven, changing, without]), '.jsonl', {
      allowNoPassword: true,
    });
    expect(report).toMatchObject({ imported: 4, without_password: 1 });
    const login = (who: { username: string }) => app.client().login({ ...who, password: PASSWORD });
    expect((await login(disabled).expect(403)).body.code).toBe('account_disabled');
    expect((await login(unproven).expect(200)).body.user).toMatchObject({ email_verified: false });
    expect((await login(changing).expect(200)).body.user).toMatchObject({ must_change_password: true });
    await login(without).expect(401);
  });

  it.each([
    [
      'supabase',
      { encrypted_password: 'x', banned_until: '2999-01-01T00:00:00Z', raw_app_meta_data: {} },
      'encrypted_password',
    ],
    ['keycloak', { enabled: false, credentials: [], realmRoles: [] }, ''],
    ['firebase', { localId: 'x', disabled: true }, ''],
    ['auth0', { blocked: true, app_metadata: {} }, ''],
    ['better-auth', { banned: true, emailVerified: false, accounts: [] }, ''],
  ])('that %s had disabled stay so', async (format, state, hashAt) => {
    const email = `${newName()}@example.com`;
    const record = { username: newName(), email, ...state, ...(hashAt && { [hashAt]: await bcrypt(PASSWORD, 4) }) };
    const content =
      format === 'keycloak' ? JSON.stringify({ realm: 'old', users: [record] }) : JSON.stringify([record]);
    const done = await importText(app, content, '.json', { allowNoPassword: true });
    expect([done.format, done.bad, done.report.imported]).toEqual([format, [], 1]);
    const [row] = await app.rows<{ is_active: boolean }>('select is_active from users where email = $1', [email]);
    expect(row.is_active).toBe(false);
  });

  it('get a name from their address where they have none, and keep their ids where asked to', async () => {
    const id = randomUUID();
    const hash = await bcrypt(PASSWORD, 4);
    const people = [
      { id, email: 'Ada+News@one.example', password_hash: hash },
      { id: randomUUID(), email: 'ada+news@two.example', username: 'ADA+news@TWO.example', password_hash: hash },
    ];
    await importText(app, jsonLines(people), '.jsonl', { keepIds: true });
    const rows = await app.rows<{ id: string; username: string; attributes: object }>(
      `select id, username, attributes from users where email_canonical like 'ada+news@%' order by email_canonical`,
    );
    expect(rows[0]).toMatchObject({ id, attributes: {} });
    expect(rows.map(({ username }) => username)).toEqual([
      expect.stringMatching(/^Ada-News-[0-9a-f]{8}$/),
      expect.stringMatching(/^ada-news-[0-9a-f]{8}$/),
    ]);
  });
});

import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';

import { importFiles, jsonLines, newName } from '../support/import-files.js';
import { TestApp } from '../support/test-app.js';

const HASH = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const person = (more: object = {}) => {
  const username = newName();
  return { username, email: `${username}@example.com`, password_hash: HASH, ...more };
};

describe('a bad file', () => {
  const { fileOf, importFile, importText } = importFiles();
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  const countUsers = async () => (await app.rows<{ count: number }>('select count(*)::int from users'))[0].count;

  /** Imports good rows round the bad ones: what is bad is said, and nothing is written. */
  const refused = async (records: (object | string)[], options = {}) => {
    const before = await countUsers();
    const lines = [person(), ...records, person()].map((record) =>
      typeof record === 'string' ? record : JSON.stringify(record),
    );
    const { report, bad } = await importText(app, `${lines.join('\n')}\n`, '.jsonl', options);
    expect(report).toMatchObject({ outcome: 'refused', imported: 0, bad: bad.length });
    expect(await countUsers()).toBe(before);
    return bad;
  };

  it.each([
    ['a hash of no scheme', { password_hash: 'plain text' }, 'password_hash', /no scheme/],
    ['a hash cut short', { password_hash: '$2b$10$abc' }, 'password_hash', /malformed/],
    ['a hash of 1 MB', { password_hash: `$2b$10$${'a'.repeat(1_000_000)}` }, 'password_hash', /malformed/],
    [
      'a hash that costs the machine',
      { password_hash: `$2b$31$${'a'.repeat(53)}`.replace(/a$/, 'e') },
      'password_hash',
      /malformed|costly/,
    ],
    [
      'Argon2 of 4 GB',
      {
        password_hash:
          '$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZWhhc2hzb21laGFzaHNvbWVoYXNoc29tZWhhc2g',
      },
      'password_hash',
      /too costly/,
    ],
    ['no hash', { password_hash: undefined }, 'password_hash', /--allow-no-password/],
    ['no address', { email: undefined }, 'email', /required/],
    ['no address at all', { email: 'nobody' }, 'email', /e-mail address/],
    ['a NUL', { email: 'a\0b@example.com' }, 'email', /NUL/],
    ['half a surrogate', { username: 'a\ud800b' }, 'username', /well-formed/],
    ['another address as its name', { username: 'eve@elsewhere.example' }, 'username', /letters/],
    ['a name too short', { username: 'a' }, 'username', /3 characters/],
    ['a role that is not there', { roles: ['nosuch'] }, 'roles', /no role nosuch/],
    ['a role that rules here', { roles: ['admin'] }, 'roles', /--allow-privileged/],
    ['a role of no form', { roles: ['a b{},'] }, 'roles', /lower-case/],
    ['a seed in no base32', { totp: ['01189998819'] }, 'totp', /base32/],
    ['a seed too short', { totp: ['ABCD'] }, 'totp', /10 to 128 bytes/],
    ['a time to come', { created_at: '2999-01-01' }, 'created_at', /not to come/],
    ['a time in seconds', { created_at: 1614834367 }, 'created_at', /milliseconds/],
    ['a time in seconds as text', { created_at: '1614834367' }, 'created_at', /milliseconds/],
    ['a flag that is none', { email_verified: 'perhaps' }, 'email_verified', /true or false/],
    ['attributes too long', { attributes: { note: 'x'.repeat(300) } }, 'attributes', /256/],
    ['a member that is none', { pasword_hash: HASH }, 'pasword_hash', /not a known/],
    [
      'a member that steers a terminal',
      { '\u001b]0;x\u0007\u009b2J\u202e': 1 },
      String.raw`"\u001b]0;x\u0007\u009b2J\u202e"`,
      /not a known/,
    ],
  ])('with %s says so by line', async (_what, change, field, reason) => {
    const [bad, ...more] = await refused([person(change)]);
    expect(more).toEqual([]);
    expect(bad).toEqual({ line: 2, field, reason: expect.stringMatching(reason) });
    expect(JSON.stringify(bad)).not.toContain('aaaa');
  });

  it.each([
    ['no JSON', '{"username":', /not JSON/],
    ['no object', '[1]', /object/],
    ['text alone', '"x"', /object/],
  ])('with a line that is %s says so', async (_what, line, reason) => {
    expect(await refused([line])).toEqual([{ line: 2, field: null, reason: expect.stringMatching(reason) }]);
  });

  it('with bytes that are not UTF-8 says so by line, as JSON and as CSV', async () => {
    const latin1 = Buffer.from(`${JSON.stringify(person({ username: 'jürgen' }))}\n`, 'latin1');
    const { bad } = await importText(app, Buffer.concat([Buffer.from(jsonLines([person()])), latin1]));
    expect(bad).toEqual([{ line: 2, field: null, reason: 'is not UTF-8' }]);
    const csv = Buffer.from(`username,email,password_hash\nj\xfcrgen,j@example.com,${HASH}\n`, 'latin1');
    expect((await importText(app, csv, '.csv')).bad).toEqual([{ line: 2, field: null, reason: 'is not UTF-8' }]);
  });

  it('with a byte order mark is read, and so are CRLF, blank lines and a last line without an end', async () => {
    const [one, two] = [person(), person()];
    const text = `\ufeff${JSON.stringify(one)}\r\n\r\n  \r\n${JSON.stringify(two)}`;
    expect((await importText(app, text)).report).toMatchObject({ outcome: 'imported', imported: 2 });
    const { username, email } = person();
    const csv = `\ufeffusername,password_hash,email\r\n\r\n${username},${HASH},${email}`;
    expect((await importText(app, csv, '.csv')).report).toMatchObject({ outcome: 'imported', imported: 1 });
  });

  it('with one name twice, in whatever form, names the earlier line', async () => {
    const [one, two] = [person({ username: 'straße' }), person()];
    const bad = await refused([one, person({ username: 'STRASSE' }), two, person({ email: two.email.toUpperCase() })]);
    expect(bad).toEqual([
      { line: 3, field: 'username', reason: 'is that of line 2' },
      { line: 5, field: 'email', reason: 'is that of line 4' },
    ]);
  });

  it('with names that accounts have says so, and takes nothing from those', async () => {
    const there = await app.givenPerson();
    const bad = await refused([person({ username: there.username.toUpperCase() }), person({ email: there.email })]);
    expect(bad.map(({ line, field }) => [line, field])).toEqual([
      [2, 'username'],
      [3, 'email'],
    ]);
    await app.client().login(there).expect(200);
  });

  it('is imported as far as it is good where that is asked for: a bad row claims no name', async () => {
    const [a, b, c] = [person(), person(), person()];
    const rows = [a, { ...b, username: a.username }, { ...c, email: b.email }, person({ password_hash: 'x' }), b];
    const { report, bad } = await importText(app, jsonLines(rows), '.jsonl', { skipBad: true });
    expect(bad.map(({ line, field }) => [line, field])).toEqual([
      [2, 'username'],
      [4, 'password_hash'],
      [5, 'email'],
    ]);
    expect(report).toMatchObject({ outcome: 'imported', rows: 5, imported: 2, bad: 3 });
    const names = await app.rows<{ username: string }>(
      'select username from users where username = any($1) order by 1',
      [[a.username, b.username, c.username]],
    );
    expect(names.map(({ username }) => username)).toEqual([a.username, c.username].toSorted());
  });

  it('with two accounts of one id gives no seed of one to the other', async () => {
    const id = '6f1c7e3e-8f52-4f0e-9d51-0c8f0f6f1a11';
    const rows = [person({ id }), person({ id: id.toUpperCase(), totp: ['JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'] })];
    const { bad } = await importText(app, jsonLines(rows), '.jsonl', { keepIds: true, skipBad: true });
    expect(bad).toEqual([{ line: 2, field: 'id', reason: 'is that of line 1' }]);
    expect(await app.rows('select 1 from totp_authenticators where user_id = $1', [id])).toEqual([]);
  });

  it('with the id of a client makes no user who would be taken for it', async () => {
    const { clientId } = await app.givenClient();
    const rows = [person({ id: randomUUID() }), person({ id: clientId })];
    const { report, bad } = await importText(app, jsonLines(rows), '.jsonl', { keepIds: true, skipBad: true });
    expect(bad).toEqual([{ line: 2, field: 'id', reason: 'is taken: an account or a client has it' }]);
    expect(report).toMatchObject({ imported: 1, bad: 1 });
    expect(await app.rows('select 1 from users where id = $1', [clientId])).toEqual([]);
  });

  it('makes roles only where asked to, one audit row each, and maps those of the old system', async () => {
    const rows = [person({ roles: ['Writer', 'reader'] }), person({ roles: ['reader', 'junk'] })];
    const options = {
      createRoles: true,
      roleMap: new Map([
        ['Writer', 'author'],
        ['junk', ''],
      ]),
    };
    const { report } = await importText(app, jsonLines(rows), '.jsonl', options);
    expect(report).toMatchObject({ outcome: 'imported', roles_created: ['author', 'reader'] });
    const audited = await app.rows<{ name: string }>(
      `select details ->> 'name' as name from audit_events where type = 'role.created' order by 1`,
    );
    expect(audited.map(({ name }) => name)).toEqual(['author', 'reader']);
    expect(await app.rows(`select permissions from roles where name = 'author'`)).toEqual([{ permissions: [] }]);
  });

  it.each([
    ['is empty', '', '.csv', /is empty/],
    ['has a column that is none', 'username,email,pasword_hash\n', '.csv', /line 1: there is no column "pasword_hash"/],
    ['has no header', `${HASH},ada,a@example.com\n`, '.csv', /^line 1: the first row names no columns: there are id,/],
    ['lacks a column', 'username,email\na,b\n', '.csv', /line 1: the column password_hash is missing/],
    ['has a column twice', 'email,email,password_hash\n', '.csv', /line 1: a column is there twice/],
    ['has a header alone', 'username,email,password_hash\n', '.csv', /holds no accounts/],
    [
      'ends in a quoted field',
      `username,email,password_hash\nada1,a@example.com,${HASH}\n"ada2,b@example.com\n`,
      '.csv',
      /line 3: .*not closed/,
    ],
    ['has a quote where none may be', 'username,email,password_hash\na"b,c,d\n', '.csv', /line 2: is no CSV/],
    [
      'is a document cut short',
      '[{"email":"a@example.com"},\n{"email"',
      '.json',
      /line 2: the file ends in the middle/,
    ],
    ['is a document without an end', '{"users":[{"localId":"x"}\n]\n', '.json', /line 3: the file ends in the middle/],
    ['is two documents', '[]\n[]', '.json', /line 2: is no JSON document/],
    ['lacks a comma', '[{"a":1}\n{"a":2}]', '.json', /line 2: is no JSON document/],
    [
      'has a factor that cannot be read',
      '{"mfa_factors":[\n7],"users":[{"encrypted_password":""}]}',
      '.json',
      /line 2: must be a JSON object/,
    ],
    ['has no array of accounts', '{"realm":"old","clients":[{}]}\n ', '.json', /none in an array users/],
  ])('that %s is refused as a whole', async (_what, content, extension, message) => {
    await expect(importText(app, content, extension, { skipBad: true })).rejects.toThrow(message);
  });

  it('says of a row of CSV with too many fields, or too few, which it is', async () => {
    const csv = `username,email,password_hash\nada,a@example.com\n"x\ny",b@example.com,${HASH},\n`;
    expect((await importText(app, csv, '.csv')).bad).toEqual([
      { line: 2, field: null, reason: 'has 2 fields where there are 3 columns' },
      { line: 3, field: null, reason: 'has 4 fields where there are 3 columns' },
    ]);
  });

  it('that ends in a hash or seed without a line break may be cut short, unless it is in quotes', async () => {
    const { username, email } = person();
    const header = 'username,email,password_hash,totp\n';
    const row = `${username},${email},${HASH},`;
    for (const end of ['', 'JBSWY3DPEHPK3PXP'])
      expect((await importText(app, `${header}${row}${end}`, '.csv')).bad).toEqual([
        { line: 2, field: null, reason: expect.stringMatching(/may be cut short/) },
      ]);
    const { report } = await importText(app, `${header}${row}"JBSWY3DPEHPK3PXP"`, '.csv');
    expect(report).toMatchObject({ outcome: 'imported', imported: 1 });
  });

  it('with a record of many megabytes holds none of it', async () => {
    const long = JSON.stringify(person({ username: 'x'.repeat(40_000_000) }));
    const before = process.memoryUsage().rss;
    const bad = [];
    for (const [text, extension] of [
      [`${long}\n`, '.jsonl'],
      [`[${long}]`, '.json'],
    ])
      // prettier-ignore
      bad.push(...(await importText(app, text, extension)).bad);
    expect(bad.map(({ reason }) => reason)).toEqual(Array(2).fill('is longer than 1048576 bytes'));
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000); // the texts themselves are in it, twice
    await expect(importText(app, `email,password_hash\n"${long.replaceAll('"', '')}\n`, '.csv')).rejects.toThrow(
      /longer than/,
    );
  });

  it('that is a directory, not there or closed to us says so', async () => {
    const file = fileOf('email,password_hash\n', '.csv');
    const folder = `${file}.d`;
    mkdirSync(folder);
    await expect(importFile(app, folder)).rejects.toThrow(/is no file/);
    await expect(importFile(app, path.join(folder, 'none'))).rejects.toThrow(/there is no such file/);
    chmodSync(file, 0);
    const isRoot = process.getuid?.() === 0; // who may read everything
    await expect(importFile(app, file)).rejects.toThrow(isRoot ? /holds no accounts/ : /permission denied/);
    await expect(importFile(app, fileOf('x'), { format: 'nosuch' })).rejects.toThrow(/there is no format nosuch/);
  });
});

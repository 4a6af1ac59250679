import { importFiles, newName } from '../support/import-files.js';
import { TestApp } from '../support/test-app.js';

const HASH = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const SEED = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const user = (more: object = {}) => ({ email: `${newName()}@example.com`, encrypted_password: HASH, ...more });
const factor = (more: object = {}) => ({ factor_type: 'totp', status: 'verified', secret: SEED, ...more });

describe('what belongs to an account and stands in an array of its own', () => {
  const { importText } = importFiles();
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  /** A document of supabase with its factors on line 2. */
  const documentOf = (users: object[], factors: (object | string)[]): string =>
    `{"mfa_factors":[\n${factors.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(',')}],` +
    `"users":[\n${users.map((record) => JSON.stringify(record)).join(',\n')}]}`;
  const importDocument = (users: object[], factors: (object | string)[], options = {}) =>
    importText(app, documentOf(users, factors), '.json', { format: 'supabase', ...options });

  it.each([
    ['names no account', factor({ userId: 'a' }), /line 2: user_id names no account/],
    ['names one by nothing', factor({ user_id: '' }), /line 2: user_id names no account/],
    ['names one with a NUL', factor({ user_id: 'a\0' }), /line 2: user_id names no account/],
    [
      'names one by a number that is not exact',
      '{"user_id":9007199254740993,"status":"verified"}',
      /line 2: user_id .*write it as text/,
    ],
    [
      'is nested without end',
      `{"user_id":"a","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
      /line 2: is nested too deep/,
    ],
  ])('is refused with its line where it %s', async (_what, part, message) => {
    await expect(importDocument([user({ id: 'a' }), user()], [part], { skipBad: true })).rejects.toThrow(message);
  });

  it('is counted as left behind where its account is not in the file', async () => {
    const factors = [factor({ user_id: 'elsewhere' }), factor({ user_id: 'here' })];
    const { report } = await importDocument([user({ id: 'here' })], factors);
    expect(report).toMatchObject({ outcome: 'imported', left_behind: { of_no_account: 1 } });
  });

  it('never goes to two accounts of one id, and is no more than an account can have', async () => {
    const [one, two] = [user({ id: 'a' }), user({ id: 'a' })];
    const { report, bad } = await importDocument([one, two], [factor({ user_id: 'a' })], { skipBad: true });
    expect(bad).toEqual([{ line: 4, field: 'id', reason: 'is that of line 3' }]);
    expect(report).toMatchObject({ outcome: 'imported', imported: 1, bad: 1 });
    expect(await app.rows('select 1 from users where email = $1', [two.email])).toEqual([]);
    const many = Array.from({ length: 101 }, () => factor({ user_id: 'b' }));
    await expect(importDocument([user({ id: 'b' })], many)).rejects.toThrow(/line 2: .*has more of these/);
  });

  it('is not mixed up where ids are numbers beyond 2^53', async () => {
    const users = [9007199254740992n, 9007199254740993n].map((id) =>
      JSON.stringify({ email: `${newName()}@example.com` }).replace('{', `{"id":${id},`),
    );
    const importAccounts = (userId: string) => {
      const accounts = `{"userId":${userId},"providerId":"credential","password":null}`;
      const content = `{"user":[${users.join(',')}],"account":[${accounts}]}`;
      return importText(app, content, '.json', { allowNoPassword: true });
    };
    const { bad } = await importAccounts('"9007199254740992"');
    const reason = 'is a number that is not exact: write it as text';
    expect(bad.map((row) => [row.field, row.reason])).toEqual(Array(2).fill(['id', reason]));
    await expect(importAccounts('9007199254740992')).rejects.toThrow(/line 1: userId .*write it as text/);
  });

  it('counts kinds by whatever name', async () => {
    const factors = ['constructor', '__proto__', 'phone'].map((type) => factor({ factor_type: type, user_id: 'c' }));
    const { report } = await importDocument([user({ id: 'c' })], factors);
    expect(JSON.stringify(report.left_behind)).toBe('{"constructor":1,"__proto__":1,"phone":1}');
  });
});

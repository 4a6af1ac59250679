import { importFiles, jsonLines, newName } from '../support/import-files.js';
import { TestApp } from '../support/test-app.js';

const HASH = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const person = () => {
  const username = newName();
  return { username, email: `${username}@example.com`, password_hash: HASH };
};

describe('an import that was killed', () => {
  const { fileOf, importFile } = importFiles();
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.stop());

  /** A file of two accounts whose import is done with the first alone. */
  const givenHalf = async () => {
    const [one, two] = [person(), person()];
    const file = fileOf(jsonLines([one, two]));
    const { report } = await importFile(app, file);
    await app.rows('delete from users where username = $1', [two.username]);
    await app.rows(
      `update user_imports set position = 1, imported = 1, finished_at = null where encode(file_sha256, 'hex') = $1`,
      [report.file_sha256],
    );
    return { one, two, file, sha256: report.file_sha256 };
  };

  it('goes on where somebody of its first half has another name, or is gone', async () => {
    for (const change of [
      `update users set username = username || 'x', username_canonical = username_canonical || 'x' where username = $1`,
      `update users set email = 'x' || email, email_canonical = 'x' || email_canonical where username = $1`,
      'delete from users where username = $1',
    ]) {
      const { one, file } = await givenHalf();
      await app.rows(change, [one.username]);
      const { report, bad } = await importFile(app, file);
      expect(bad).toEqual([]);
      expect(report).toMatchObject({ outcome: 'imported', resumed_after: 1, imported: 2, bad: 0 });
    }
  });

  it('stays where it was when another one with --again is refused', async () => {
    const { file, sha256 } = await givenHalf();
    expect((await importFile(app, file, { again: true })).report).toMatchObject({ outcome: 'refused' });
    const rows = await app.rows(
      `select position, finished_at from user_imports where encode(file_sha256, 'hex') = $1`,
      [sha256],
    );
    expect(rows).toEqual([{ position: 1, finished_at: null }]);
    expect((await importFile(app, file)).report).toMatchObject({ outcome: 'imported', resumed_after: 1, imported: 2 });
    const once = { again: true, skipBad: true };
    expect((await importFile(app, file, once)).report).toMatchObject({ outcome: 'imported', imported: 0, bad: 2 });
  });
});

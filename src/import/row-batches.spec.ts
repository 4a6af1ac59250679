import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ImportSession } from './import.repository.js';
import { SourceFile } from './reading/source-file.js';
import { rowBatches } from './row-batches.js';

const rules = {
  now: new Date(),
  roles: new Map([['user', []]]),
  roleMap: new Map<string, string>(),
  createRoles: false,
  allowPrivileged: false,
  allowNoPassword: false,
  keepIds: false,
};
/** Nothing is asked of it for files without parts. */
const noSession = undefined as unknown as ImportSession;

describe('rowBatches', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'row-batches-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const batchesOf = async (name: string, content: string): Promise<number[]> => {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    const source = await SourceFile.open(file, 'latchkey');
    const ends: number[] = [];
    for await (const { until } of rowBatches(source, noSession, rules, { now: rules.now, firebase: null }, 0, () => {}))
      ends.push(until);
    return ends;
  };

  it('ends a batch after a thousand records, or after four megabytes of them', async () => {
    expect(await batchesOf('small.jsonl', '{"email":"a@example.com"}\n'.repeat(2500))).toEqual([1000, 2000, 2500]);
    const large = `{"email":"a@example.com","username":"${'x'.repeat(1_000_000)}"}\n`.repeat(12);
    expect(await batchesOf('large.jsonl', large)).toEqual([5, 10, 12]);
    const csv = `email,password_hash,username\n${`a@example.com,x,${'x'.repeat(1_000_000)}\n`.repeat(12)}`;
    expect(await batchesOf('large.csv', csv)).toEqual([5, 10, 12]);
  });
});

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Makes new folders, which others may pass through, and removes them after the tests of the file. */
export function temporaryFolders(): (name?: string) => string {
  const made: string[] = [];
  afterAll(() => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));
  return (name = 'latchkey-test-') => {
    const folder = mkdtempSync(path.join(tmpdir(), name));
    chmodSync(folder, 0o755); // PostgreSQL's unprivileged user lives below
    made.push(folder);
    return folder;
  };
}

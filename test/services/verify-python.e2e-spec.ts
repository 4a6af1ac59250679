import { execFile } from 'node:child_process';
import fs, { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** Debian's own: the one that its package python3-jwt is for. */
const PYTHON = '/usr/bin/python3';

const RUNNER = `
import json, sys
from latchkey_verify import Refused, Revoked, Verifier
file = json.load(open(sys.argv[1]))
revoked = Revoked()
for entry in file["revocations"]:
    revoked.add(entry)
verifier = Verifier(file["issuer"], file["audience"], file["keys"], revoked, max_age=file["max_age"])
for vector in file["vectors"]:
    try:
        verifier.verify(vector["token"], file["now"])
        result = "ok"
    except Refused as refused:
        result = refused.code
    print(json.dumps([vector["name"], vector["result"], result]))
`;

describe('docs/verify/python.md', () => {
  it('agrees with every conformance vector, as it stands on the page', async () => {
    const page = fs.readFileSync(path.resolve('docs/verify/python.md'), 'utf8');
    const code = /```python\n([\s\S]*?)```/.exec(page)![1];
    const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-python-'));
    try {
      fs.writeFileSync(path.join(folder, 'latchkey_verify.py'), code);
      fs.writeFileSync(path.join(folder, 'run.py'), RUNNER);
      const vectors = path.resolve('packages/verifier/vectors.json');
      const { stdout } = await promisify(execFile)(PYTHON, [path.join(folder, 'run.py'), vectors]);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as [name: string, expected: string, result: string]);
      expect(lines.length).toBeGreaterThan(100);
      expect(lines.filter(([, expected, result]) => expected !== result)).toEqual([]);
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});

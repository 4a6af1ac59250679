import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

describe('examples/two-services', () => {
  it('ends with both services refusing a signed-out token within a second', async () => {
    const env = { PATH: process.env.PATH };
    const { stdout } = await promisify(execFile)(process.execPath, ['examples/two-services/run.mjs'], { env });
    expect(stdout.match(/answers 200/g)).toHaveLength(2);
    expect(stdout.match(/answers 401/g)).toHaveLength(2);
    expect(stdout).toContain('Both refused within a second');
  });
});

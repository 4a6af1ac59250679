import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { createLogger } from '../../common/logging.js';
import { type Config, loadConfig } from '../../config/config.js';
import { BreachFilter, buildBreachFilter } from './breach-filter.js';
import { PasswordPolicy } from './password-policy.js';
import { PwnedRange } from './pwned-range.js';
import { StrengthEstimator } from './strength.js';

const secrets = { MASTER_SECRET: 'p7Qm2xV9bK4nT6rY8wZ1cE3fH5jL0sDu', JWT_SECRET: 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA' };
const configOf = (env: NodeJS.ProcessEnv = {}): Config =>
  loadConfig({ env: { ...secrets, ...env }, secretsDir: '/nonexistent' });
const ada = { username: 'ada.lovelace', email: 'countess@analytical-engine.example' };

describe('PasswordPolicy', () => {
  const policy = new PasswordPolicy(createLogger('silent'), configOf({ PASSWORD_CONTEXT_WORDS: 'latchkey,acmecorp' }));
  afterAll(() => policy.onModuleDestroy());

  it.each([
    ['three words', 'correct-horse-battery'],
    ['20 random lower-case letters', 'qhzvkxwpyrnmtbldgcfj'],
    ['20 random digits', '83920174659201837465'],
    ['spaces', 'seven grey teapots on rails'],
    ['emoji', '🦊🔭🧭🪁🎻🧊🪐🛶🥁🦉🧵🪴'],
    ['another script', 'мокрый зонтик у рояля'],
    ['a person’s name among more', 'lovelace-teapot-granite-91'],
  ])('takes %s', async (_name, password) => {
    expect(await policy.weaknessOf(password, ada)).toBeNull();
  });

  it.each([
    ['too_short', 'elevenchars'],
    ['too_short', '🦊🔭🧭🪁🎻🧊🪐🛶🥁🦉🧵'],
    ['common', '123456789012'],
    ['common', 'PasswordPassword'],
    ['context', 'Latchkey2026!!'],
    ['context', 'acmecorp12345'],
    ['context', 'AdaLovelace1815'],
    ['context', 'countess_countess'],
    ['context', 'analytical-engine-1'],
    ['common', 'qwertyuiop12'],
    ['guessable', 'aaaaaaaaaaaaaaa'],
    ['guessable', 'Password1234!'],
    ['guessable', 'abcdefghijklm'],
  ])('refuses as %s: %s', async (reason, password) => {
    const weakness = await policy.weaknessOf(password, ada);
    expect(weakness).toMatchObject({
      reason,
      detail: expect.stringMatching(/\.$/),
      suggestion: expect.stringMatching(/.{20}/),
    });
    expect(weakness!.detail).not.toContain(password);
  });

  it('refuses the one that is in use', async () => {
    expect(await policy.weaknessOf('correct-horse-battery', ada, 'correct-horse-battery')).toMatchObject({
      reason: 'unchanged',
    });
  });

  it('refuses the 3,000 most common passwords that are long enough (ASVS 6.2.4), in any case', async () => {
    const shortest = new PasswordPolicy(createLogger('silent'), configOf({ PASSWORD_MIN_LENGTH: '8' }));
    const listed = fs.readFileSync(path.resolve('assets/common-passwords.txt'), 'utf8').split('\n').slice(0, 3000);
    expect(listed).toHaveLength(3000);
    for (const password of listed)
      expect(await shortest.weaknessOf(password.toUpperCase(), ada)).toMatchObject({ reason: 'common' });
    await shortest.onModuleDestroy();
  });
});

describe('StrengthEstimator', () => {
  it('never holds up the event loop, whatever it is asked, and answers again afterwards', async () => {
    const estimator = new StrengthEstimator();
    await estimator.estimate('warm it up first', []);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const hostile = [
      '0123456789abcdef'.repeat(64),
      'aA4@'.repeat(256),
      '\u{1F511}'.repeat(256),
      createHash('sha512').update('x').digest('hex').repeat(8),
    ];
    await Promise.all(hostile.map((password) => estimator.estimate(password, [])));
    delay.disable();
    expect(delay.percentile(90) / 1e6).toBeLessThan(50);
    expect((await estimator.estimate('correct-horse-battery', []))?.score).toBeGreaterThanOrEqual(3);
    await estimator.stop();
    expect((await estimator.estimate('correct-horse-battery', []))?.score).toBeGreaterThanOrEqual(3);
    await estimator.stop();
  });
});

describe('BreachFilter', () => {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'latchkey-breach-'));
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  const list = path.join(folder, 'list.txt');
  const file = path.join(folder, 'filter.lkb');
  const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');

  it('finds every one of 100,000 members, and next to none of 100,000 others', async () => {
    fs.writeFileSync(
      list,
      Array.from({ length: 100_000 }, (_, at) => `${sha1(`member ${at}`).toUpperCase()}:${at % 7}`).join('\r\n'),
    );
    expect(await buildBreachFilter(list, file)).toEqual({ read: 100_000, kept: 100_000, bad: 0 });
    expect(fs.statSync(file).size).toBeLessThan(310_000);
    const filter = BreachFilter.open(file);
    let wrong = 0;
    for (let at = 0; at < 100_000; at++) {
      if (!filter.has(`member ${at}`)) throw new Error(`member ${at} was not found`);
      if (filter.has(`stranger ${at}`)) wrong++;
    }
    expect(wrong).toBeLessThanOrEqual(10);
  });

  it('leaves out what was seen less often than asked', async () => {
    const { kept } = await buildBreachFilter(list, file, { minCount: 3 });
    expect(kept).toBe(Array.from({ length: 100_000 }, (_, at) => at % 7).filter((count) => count >= 3).length);
    expect(BreachFilter.open(file).has('member 3')).toBe(true);
  });

  it('refuses a list of something else, and a filter that is cut short or none', async () => {
    fs.writeFileSync(list, `${sha1('x')}\n`.repeat(50) + 'password\n'.repeat(2));
    await expect(buildBreachFilter(list, path.join(folder, 'none'))).rejects.toThrow(
      '2 of 52 lines are no SHA-1 hashes',
    );
    expect(fs.existsSync(path.join(folder, 'none'))).toBe(false);
    fs.truncateSync(file, 1000);
    expect(() => BreachFilter.open(file)).toThrow('cut short');
    expect(() => BreachFilter.open(list)).toThrow('is no breach filter');
  });

  it('makes the policy refuse its members', async () => {
    fs.writeFileSync(list, sha1('granite-teapot-orchard-7'));
    await buildBreachFilter(list, file);
    const policy = new PasswordPolicy(createLogger('silent'), configOf({ PASSWORD_BREACH_FILE: file }));
    expect(await policy.weaknessOf('granite-teapot-orchard-7', ada)).toMatchObject({ reason: 'breached' });
    expect(await policy.weaknessOf('granite-teapot-orchard-8', ada)).toBeNull();
    await policy.onModuleDestroy();
  });
});

describe('PwnedRange', () => {
  const breached = createHash('sha1').update('breached').digest('hex').toUpperCase();
  let answer: (response: http.ServerResponse) => void;
  const seen: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request);
    answer(response);
  });
  let range: PwnedRange;
  const faults: Error[] = [];
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    range = new PwnedRange((error) => faults.push(error), `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  it('sends five digits of the hash, asks for padding, and believes counts above 0 alone', async () => {
    answer = (response) => response.end(`${'0'.repeat(35)}:9\r\n${breached.slice(5)}:3\r\n`);
    expect(await range.has('breached')).toBe(true);
    expect(seen[0].url).toBe(`/range/${breached.slice(0, 5)}`);
    expect(seen[0].headers['add-padding']).toBe('true');
    answer = (response) => response.end(`${breached.slice(5)}:0\r\n`);
    expect(await range.has('breached')).toBe(false);
  });

  it('counts as not found, and says so, where the API fails or is silent', async () => {
    answer = (response) => response.writeHead(503).end();
    expect(await range.has('breached')).toBe(false);
    answer = () => {};
    const begun = performance.now();
    expect(await range.has('breached')).toBe(false);
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(faults).toHaveLength(2);
  });
});

import { setImmediate } from 'node:timers/promises';

import { PHPASS_MAX_LOG_ROUNDS, phpassScheme } from './phpass.js';

const malformed = { name: 'UnusableHashError', scheme: 'phpass', reason: 'malformed' };
const tooCostly = { ...malformed, reason: 'too_costly' };

const ITOA64 = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const withLogRounds = (logRounds: number) => `$P$${ITOA64[logRounds]}IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0`;

describe('phpassScheme', () => {
  // phpass's own test, John the Ripper's, passlib's.
  it.each([
    ['test12345', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0'],
    ['test12345', '$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0'],
    ['test1', '$H$9aaaaaSXBjgypwqm.JsMssPLiS8YQ00'],
    ['123456', '$H$9PE8jEklgZhgLmZl5.HYJAzfGCQtzi1'],
    ['thisisalongertestPW', '$P$912345678LIjjb6PhecupozNBmDndU0'],
    ['JohnRipper', '$P$612345678si5M0DDyPpmRCmcltU/YW/'],
    ['JohnRipper', '$P$B12345678L6Lpt4BxNotVIMILOa9u81'],
    ['', '$P$7JaFQsPzJSuenezefD/3jHgt5hVfNH0'],
    ['compL3X!', '$P$FiS0N5L672xzQx1rt1vgdJQRYKnQM9/'],
    ['táБℓə', '$P$7SMy8VxnfsIy2Sxm7fJxDSdil.h7TW.'],
  ])('verifies %j against %s', async (password, stored) => {
    expect(await phpassScheme.verify(password, stored)).toBe(true);
    expect(await phpassScheme.verify(`${password} `, stored)).toBe(false);
  });

  it('lets others have their turn every few milliseconds', async () => {
    let done = false;
    const verdict = phpassScheme.verify('x', withLogRounds(17)).finally(() => (done = true));
    const gaps: number[] = [];
    for (let last = performance.now(); !done;) {
      await setImmediate();
      const now = performance.now();
      gaps.push(now - last);
      last = now;
    }
    expect(await verdict).toBe(false);
    expect(gaps.length).toBeGreaterThan(20);
    // The median: a busy machine may stop the whole process for longer.
    expect(gaps.toSorted((a, b) => a - b)[gaps.length >> 1]).toBeLessThan(5);
  });

  it('refuses what costs more than its ceiling, without doing it', async () => {
    const started = performance.now();
    for (let logRounds = PHPASS_MAX_LOG_ROUNDS + 1; logRounds <= 30; logRounds++) {
      await expect(phpassScheme.verify('test12345', withLogRounds(logRounds))).rejects.toMatchObject(tooCostly);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('checks what costs as much as its ceiling', async () => {
    expect(await phpassScheme.verify('test12345', withLogRounds(PHPASS_MAX_LOG_ROUNDS))).toBe(false);
  });

  it('lets no password longer than phpass takes pass, and does not stretch it', async () => {
    const started = performance.now();
    expect(await phpassScheme.verify('x'.repeat(4097), withLogRounds(PHPASS_MAX_LOG_ROUNDS))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ['fewer than 2^7 rounds', withLogRounds(6)],
    ['more than 2^30 rounds', withLogRounds(31)],
    ['a foreign character', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r!L0'],
    ['loose bits', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L2'],
    ['a character too few', withLogRounds(11).slice(0, -1)],
    ['a character too many', `${withLogRounds(11)}.`],
    ['a line break at the end', `${withLogRounds(11)}\n`],
    ['only its prefix', '$H$'],
  ])('calls %s malformed', async (_what, stored) => {
    expect(phpassScheme.recognises(stored)).toBe(true);
    await expect(phpassScheme.verify('x', stored)).rejects.toMatchObject(malformed);
  });
});

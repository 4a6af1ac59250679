import { matchStep, newSeed, present } from './totp.js';

/** RFC 6238, appendix B, SHA-1: the last six of its eight digits. */
const VECTORS = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
] as const;
const SEED = Buffer.from('12345678901234567890');
const at = (seconds: number): Date => new Date(seconds * 1000);
const stepOf = (seconds: number): number => Math.floor(seconds / 30);

describe('TOTP', () => {
  it.each(VECTORS)('knows the code of RFC 6238 at %i', async (seconds, code) => {
    expect(await matchStep(SEED, code, at(seconds), 0, 0)).toBe(stepOf(seconds));
  });

  it.each([
    [-1, 1, true],
    [-1, 0, false],
    [-2, 1, false],
    [1, 1, false],
  ] as const)('%i steps away, window %i: %s', async (steps, window, isRight) => {
    const [seconds, code] = VECTORS[2];
    const now = seconds - steps * 30;
    expect(await matchStep(SEED, code, at(now), window, 0)).toBe(isRight ? stepOf(seconds) : null);
  });

  it('takes the code of the first and the last second of its step, and of the step after', async () => {
    const [seconds, code] = VECTORS[2];
    const begin = stepOf(seconds) * 30;
    for (const now of [begin, begin + 29, begin + 30, begin + 59])
      expect(await matchStep(SEED, code, at(now), 1, 0)).toBe(stepOf(seconds));
    for (const now of [begin - 1, begin + 60]) expect(await matchStep(SEED, code, at(now), 1, 0)).toBeNull();
  });

  it('takes no step up to the last one that counted', async () => {
    const [seconds, code] = VECTORS[2];
    const step = stepOf(seconds);
    expect(await matchStep(SEED, code, at(seconds), 1, step - 1)).toBe(step);
    expect(await matchStep(SEED, code, at(seconds), 1, step)).toBeNull();
    expect(await matchStep(SEED, code, at(seconds), 1, step + 1)).toBeNull();
    expect(await matchStep(SEED, code, at(seconds + 30), 1, step)).toBeNull();
  });

  it.each([
    '',
    '28708',
    '2870820',
    ' 287082',
    '287 082',
    '２８７０８２',
    '٢٨٧٠٨٢',
    '28708a',
    '0x2870',
    '-87082',
    '2.7e03',
  ])('takes nothing else for a code: %j', async (code) => expect(await matchStep(SEED, code, at(59), 1, 0)).toBeNull());

  it('makes seeds of 160 bits, each another', () => {
    const seeds = new Set(Array.from({ length: 100_000 }, () => newSeed().toString('hex')));
    expect(seeds.size).toBe(100_000);
    expect([...seeds][0]).toHaveLength(40);
  });

  it('presents a seed as text, URI and QR code', async () => {
    const { secret, otpauth_uri, qr_svg } = await present(SEED, 'Latchkey', 'Ada & Bob');
    expect(secret).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
    const uri = new URL(otpauth_uri);
    expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
      'otpauth:',
      'totp',
      '/Latchkey:Ada & Bob',
    ]);
    expect([uri.searchParams.get('secret'), uri.searchParams.get('issuer')]).toEqual([secret, 'Latchkey']);
    expect(qr_svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(qr_svg).not.toContain('<script');
  });
});

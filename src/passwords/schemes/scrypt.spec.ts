import {
  SCRYPT_MAX_BLOCK_SIZE,
  SCRYPT_MAX_MEMORY_BYTES,
  SCRYPT_MAX_MIXED_BYTES,
  SCRYPT_MAX_PARALLELISM,
  scryptScheme,
} from './scrypt.js';

const malformed = { name: 'UnusableHashError', scheme: 'scrypt', reason: 'malformed' };
const tooCostly = { ...malformed, reason: 'too_costly' };

const base64 = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('base64').replace(/=+$/, '');
const SALT = base64('00112233445566778899aabbccddeeff');
const DIGEST = base64('ab'.repeat(32));
const withCost = (cost: string) => `$scrypt$${cost}$${SALT}$${DIGEST}`;

describe('scryptScheme', () => {
  // RFC 7914, section 12.
  it.each([
    [
      '',
      '$scrypt$ln=4,r=1,p=1$',
      '77d6576238657b203b19ca42c18a0497 f16b4844e3074ae8dfdffa3fede21442 fcd0069ded0948f8326a753a0fc81f17 e8d3e0fb2e0d3628cf35e20c38d18906',
    ],
    [
      'password',
      '$scrypt$ln=10,r=8,p=16$TmFDbA',
      'fdbabe1c9d3472007856e7190d01e9fe 7c6ad7cbc8237830e77376634b373162 2eaf30d92e22a3886ff109279d9830da c727afb94a83ee6d8360cbdfa2cc0640',
    ],
    [
      'pleaseletmein',
      '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU',
      '7023bdcb3afd7348461c06cd81fd38eb fda8fbba904f8e3ea9b543f6545da1f2 d5432955613f0fcf62d49705242a9af9 e61e85dc0d651e40dfcf017b45575887',
    ],
  ])('verifies %j of the RFC under %s', async (password, prefix, hex) => {
    const stored = `${prefix}$${base64(hex)}`;
    expect(await scryptScheme.verify(password, stored)).toBe(true);
    expect(await scryptScheme.verify(`${password} `, stored)).toBe(false);
  });

  // passlib's tests.
  it.each([
    ['test', '$scrypt$ln=8,r=8,p=1$wlhLyXmP8b53bm1NKYVQqg$mTpvG8lzuuDk+DWz8HZIB6Vum6erDuUm0As5yU+VxWA'],
    ['password', '$scrypt$ln=8,r=2,p=1$dO6d0xoDoLT2PofQGoNQag$g/Wf2A0vhHhaJM+addK61QPBthSmYB6uVTtQzh8CM3o'],
    ['táБℓə', '$scrypt$ln=7,r=8,p=1$jjGmtDamdA4BQAjBeA9BSA$OiWRHhQtpDx7M/793x6UXK14AD512jg/qNm/hkWZG4M'],
    ['nacl', '$scrypt$ln=1,r=4,p=2$yhnD+J+Tci4lZCwFgHCuVQ$fAsEWmxSHuC0cHKMwKVFPzrQukgvK09Sj+NueTSxKds'],
  ])('verifies %j against %s', async (password, stored) => {
    expect(await scryptScheme.verify(password, stored)).toBe(true);
    expect(await scryptScheme.verify(`${password} `, stored)).toBe(false);
  });

  it('takes padded base64 as well', async () => {
    const stored = '$scrypt$ln=8,r=8,p=1$wlhLyXmP8b53bm1NKYVQqg==$mTpvG8lzuuDk+DWz8HZIB6Vum6erDuUm0As5yU+VxWA=';
    expect(await scryptScheme.verify('test', stored)).toBe(true);
  });

  it('refuses what costs more than its ceilings, without doing it', async () => {
    expect([SCRYPT_MAX_MEMORY_BYTES, SCRYPT_MAX_MIXED_BYTES]).toEqual([129 * 2 ** 20, 2 ** 29]);
    expect([SCRYPT_MAX_PARALLELISM, SCRYPT_MAX_BLOCK_SIZE]).toEqual([16, 64]);
    const started = performance.now();
    for (const cost of [
      'ln=18,r=8,p=1', // 256 MiB
      'ln=17,r=9,p=1', // 144 MiB
      'ln=17,r=8,p=5', // 5 × 128 MiB
      'ln=16,r=8,p=9', // 9 × 64 MiB
      'ln=4,r=8,p=17',
      'ln=1,r=524288,p=4', // 128 MiB by N alone, 768 MiB with its lanes
      'ln=1,r=65,p=1',
      'ln=20,r=8,p=1', // the largest of RFC 7914: 1 GiB
      'ln=999999999999999,r=1,p=1',
      'ln=1,r=999999999999999,p=1',
      'ln=1,r=1,p=999999999999999',
    ]) {
      await expect(scryptScheme.verify('x', withCost(cost))).rejects.toMatchObject(tooCostly);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('checks what costs as much as a ceiling', async () => {
    for (const cost of [
      'ln=17,r=8,p=1',
      'ln=14,r=64,p=4',
      'ln=1,r=64,p=16',
      'ln=17,r=8,p=4',
      'ln=15,r=1,p=1',
      'ln=10,r=8,p=16',
    ]) {
      expect(await scryptScheme.verify('x', withCost(cost))).toBe(false);
    }
  });

  it.each([
    ['a missing parameter', withCost('ln=10,r=1')],
    ['an exponent of zero', withCost('ln=0,r=1,p=1')],
    ['no lanes', withCost('ln=10,r=8,p=0')],
    ['a block size that is no number', withCost('ln=10,r=A,p=1')],
    ['a leading zero', withCost('ln=010,r=8,p=1')],
    ['N beyond 2^(16·r)', withCost('ln=16,r=1,p=1')],
    ['parameters in another order', withCost('r=8,ln=10,p=1')],
    ['a digest of 15 bytes', `$scrypt$ln=4,r=8,p=1$${SALT}$${base64('ab'.repeat(15))}`],
    ['a digest of 129 bytes', `$scrypt$ln=4,r=8,p=1$${SALT}$${base64('ab'.repeat(129))}`],
    ['a salt of 65 bytes', `$scrypt$ln=4,r=8,p=1$${base64('ab'.repeat(65))}$${DIGEST}`],
    ['no digest', `$scrypt$ln=4,r=8,p=1$${SALT}$`],
    ['loose bits', `$scrypt$ln=4,r=8,p=1$${SALT.slice(0, -1)}x$${DIGEST}`],
    ['a line break at the end', `${withCost('ln=4,r=8,p=1')}\n`],
    ['only its prefix', '$scrypt$'],
  ])('calls %s malformed', async (_what, stored) => {
    expect(scryptScheme.recognises(stored)).toBe(true);
    await expect(scryptScheme.verify('x', stored)).rejects.toMatchObject(malformed);
  });
});

import { sha256HexScheme } from './sha256-hex.js';

const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('sha256HexScheme', () => {
  // FIPS 180-4's examples, and NIST's empty message.
  it.each([
    ['abc', ABC],
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('verifies %j in either case', async (password, stored) => {
    expect(await sha256HexScheme.verify(password, stored)).toBe(true);
    expect(await sha256HexScheme.verify(password, stored.toUpperCase())).toBe(true);
    expect(await sha256HexScheme.verify(`${password} `, stored)).toBe(false);
  });

  it('takes the password as typed: composed and decomposed are two', async () => {
    const stored = '850f7dc43910ff890f8879c0ed26fe697c93a067ad93a7d50f466a7028a9bf4e'; // "café", composed
    expect(await sha256HexScheme.verify('caf\u00e9', stored)).toBe(true);
    expect(await sha256HexScheme.verify('cafe\u0301', stored)).toBe(false);
  });

  it('recognises 64 hexadecimal digits and nothing else', async () => {
    expect(sha256HexScheme.recognises(ABC)).toBe(true);
    for (const stored of [
      '',
      ABC.slice(1),
      `${ABC}0`,
      `${ABC}\n`,
      ` ${ABC}`,
      ABC.replace('b', 'g'),
      `0x${ABC.slice(2)}`,
    ]) {
      expect(sha256HexScheme.recognises(stored)).toBe(false);
      await expect(sha256HexScheme.verify('abc', stored)).rejects.toMatchObject({
        scheme: 'sha256',
        reason: 'malformed',
      });
    }
  });
});

import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { SeedCipher } from './seed-cipher.js';

const SEED = Buffer.from('12345678901234567890');
const [ADA, BOB] = ['019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10', '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11'];

describe('SeedCipher', () => {
  const cipher = new SeedCipher(new DerivedKeys('the secret'));

  it('opens what it sealed, and seals the same seed differently each time', () => {
    const sealed = [cipher.seal(SEED, ADA), cipher.seal(SEED, ADA)];
    expect(sealed.map((one) => cipher.open(one, ADA))).toEqual([SEED, SEED]);
    expect(sealed[0].seed).not.toEqual(sealed[1].seed);
    expect(sealed[0].seed.includes(SEED)).toBe(false);
  });

  it('opens nothing for another user', () => {
    expect(cipher.open(cipher.seal(SEED, ADA), BOB)).toBeNull();
  });

  it('opens nothing that one bit was changed of', () => {
    const { keyId, seed } = cipher.seal(SEED, ADA);
    for (let at = 0; at < seed.length; at++) {
      const changed = Buffer.from(seed);
      changed[at] ^= 1;
      expect(cipher.open({ keyId, seed: changed }, ADA)).toBeNull();
    }
    expect(cipher.open({ keyId, seed: seed.subarray(0, -1) }, ADA)).toBeNull();
  });

  it('opens what the secret before this one sealed, and nothing of another', () => {
    const before = cipher.seal(SEED, ADA);
    const next = new SeedCipher(new DerivedKeys('a new secret', 'the secret'));
    expect(next.open(before, ADA)).toEqual(SEED);
    expect(next.keyId).not.toBe(before.keyId);
    expect(new SeedCipher(new DerivedKeys('a new secret')).open(before, ADA)).toBeNull();
  });
});

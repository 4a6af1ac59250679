import { firebaseScryptScheme } from './firebase-scrypt.js';

const malformed = { name: 'UnusableHashError', scheme: 'firebase-scrypt', reason: 'malformed' };
const tooCostly = { ...malformed, reason: 'too_costly' };

/** The example of github.com/firebase/scrypt. */
const EXAMPLE = {
  password: 'user1password',
  cost: 'n=14,r=8,p=1',
  separator: 'Bw==',
  signerKey: 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
  salt: '42xEC+ixf3L2lw==',
  hash: 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
};

const written = (change: Partial<typeof EXAMPLE> = {}) => {
  const { cost, separator, signerKey, salt, hash } = { ...EXAMPLE, ...change };
  return `$fbscrypt$v=1,${cost},ss=${separator},sk=${signerKey}$${salt}$${hash}`;
};

describe('firebaseScryptScheme', () => {
  it('verifies the example that Firebase publishes', async () => {
    expect(await firebaseScryptScheme.verify(EXAMPLE.password, written())).toBe(true);
    expect(await firebaseScryptScheme.verify('user2password', written())).toBe(false);
  });

  it("verifies supabase's example", async () => {
    const stored =
      '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==' +
      '$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==';
    expect(await firebaseScryptScheme.verify('mytestpassword', stored)).toBe(true);
    expect(await firebaseScryptScheme.verify('mytestpassword1', stored)).toBe(false);
  });

  it('reads the alphabet for URLs too, as the Admin SDK exports it', async () => {
    const forUrls = (text: string) => text.replaceAll('+', '-').replaceAll('/', '_');
    const stored = written({ salt: forUrls(EXAMPLE.salt), hash: forUrls(EXAMPLE.hash) });
    expect(stored).not.toBe(written());
    expect(await firebaseScryptScheme.verify(EXAMPLE.password, stored)).toBe(true);
  });

  it('takes another separator, and none, for another hash', async () => {
    expect(await firebaseScryptScheme.verify(EXAMPLE.password, written({ separator: 'CA==' }))).toBe(false);
    expect(await firebaseScryptScheme.verify(EXAMPLE.password, written().replace(',ss=Bw==', ''))).toBe(false);
    // Salt and separator are simply joined: 'e3 … 97' ‖ '07'.
    const joined = Buffer.concat([Buffer.from(EXAMPLE.salt, 'base64'), Buffer.from(EXAMPLE.separator, 'base64')]);
    const stored = written({ salt: joined.toString('base64') }).replace(',ss=Bw==', '');
    expect(await firebaseScryptScheme.verify(EXAMPLE.password, stored)).toBe(true);
  });

  it('refuses what costs more than the ceilings of scrypt, without doing it', async () => {
    const started = performance.now();
    for (const cost of [
      'n=18,r=8,p=1',
      'n=17,r=9,p=1',
      'n=17,r=8,p=5',
      'n=4,r=8,p=17',
      'n=1,r=524288,p=4',
      'n=4294967297,r=8,p=1',
    ]) {
      await expect(firebaseScryptScheme.verify('x', written({ cost }))).rejects.toMatchObject(tooCostly);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ['another version', written().replace('v=1', 'v=2')],
    ['n of zero', written({ cost: 'n=0,r=8,p=1' })],
    ['r of zero', written({ cost: 'n=14,r=0,p=1' })],
    ['p of zero', written({ cost: 'n=14,r=8,p=0' })],
    ['N beyond 2^(16·r)', written({ cost: 'n=16,r=1,p=1' })],
    ['a separator that is no base64', written({ separator: '!!!' })],
    ['a signer key that is no base64', written({ signerKey: '!!!' })],
    ['a salt that is no base64', written({ salt: '!!!' })],
    ['a hash that is no base64', written({ hash: '!!!' })],
    ['no salt', written({ salt: '' })],
    ['no hash', written({ hash: '' })],
    ['no signer key', written().replace(/,sk=[^$]*/, '')],
    ['a hash shorter than the signer key', written({ hash: Buffer.alloc(32).toString('base64') })],
    ['a line break at the end', `${written()}\n`],
    ['only its prefix', '$fbscrypt$'],
  ])('calls %s malformed', async (_what, stored) => {
    expect(firebaseScryptScheme.recognises(stored)).toBe(true);
    await expect(firebaseScryptScheme.verify('x', stored)).rejects.toMatchObject(malformed);
  });
});

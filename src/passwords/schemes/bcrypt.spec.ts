import { hash } from '@node-rs/bcrypt';

import { BCRYPT_MAX_COST, bcryptScheme } from './bcrypt.js';

const malformed = { name: 'UnusableHashError', scheme: 'bcrypt', reason: 'malformed' };
const tooCostly = { ...malformed, reason: 'too_costly' };

const as = (stored: string, variant: string) => stored.replace(/^\$2.\$/, `$2${variant}$`);

describe('bcryptScheme', () => {
  const long = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

  // crypt_blowfish's self-test, John the Ripper's, and a faulty-2x case from passlib's.
  it.each([
    ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['U*U*', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
    ['U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
    ['', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
    ['U*U*U*U*', '$2a$05$c92SVSfjeiCD6F2nAD6y0uBpJDjdRkt0EgeC4/31Rf2LUZbDRDE.O'],
    ['*U*U*U*U', '$2a$05$.WRrXibc1zPgIdRXYfv.4uu6TD1KWf0VnHzq/0imhUhuxSxCyeBs2'],
    [`${long}chars after 72 are ignored`, '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui'],
    ['\u0451', '$2y$05$6bNw2HLQYeqHYyBfLMsv/OUcZd0LKP39b87nBw3.S2tVZSqiQX6eu'],
    ['test', '$2y$04$mIJxfrCaEI3GukZe11CiXublhEFanu5.ododkll1WphfSp6pn4zIu'],
    ['test', '$2y$10$srNl09aPtc2qr.0Vl.NtjekJRt/NxRxYQm3qd3OvfcKsJgVnr6.Ve'],
    ['foobcrypt', '$2a$12$uTWercxbq4sjp2xAzv3we.ZOxk51m5V/Bv5bp2H27oVFJl5neFQoC'],
  ])('verifies %j against %s, whichever of $2a$, $2b$ and $2y$ it is written as', async (password, stored) => {
    const cheap = stored.startsWith('$2a$12$') ? ['a'] : ['a', 'b', 'y'];
    for (const variant of cheap) expect(await bcryptScheme.verify(password, as(stored, variant))).toBe(true);
    expect(await bcryptScheme.verify(`!${password}`, stored)).toBe(false);
  });

  it('counts the first 72 bytes and no more, as every bcrypt does', async () => {
    const stored = await hash(long, 4);
    expect(await bcryptScheme.verify(`${long} and more`, stored)).toBe(true);
    expect(await bcryptScheme.verify(long.slice(0, 71), stored)).toBe(false);
    expect(await bcryptScheme.verify(`${long.slice(0, 71)}x`, stored)).toBe(false);
  });

  it('does not wrap at 255 bytes, as OpenBSD once did under $2a$', async () => {
    for (const length of [255, 256, 1024]) {
      const stored = as(await hash('ab'.repeat(length / 2 + 1).slice(0, length), 4), 'a');
      expect(await bcryptScheme.verify('ab'.repeat(length / 2 + 1).slice(0, length), stored)).toBe(true);
      expect(await bcryptScheme.verify('a', stored)).toBe(false);
    }
  });

  it('lets no password with a NUL pass, neither cut there nor by its repetition', async () => {
    const stored = await hash('abc', 4);
    expect(await bcryptScheme.verify('abc', stored)).toBe(true);
    expect(await bcryptScheme.verify('abc\0def', stored)).toBe(false);
    expect(await bcryptScheme.verify('abc\0abc', stored)).toBe(false); // bcrypt repeats the key, NUL included
    expect(await bcryptScheme.verify('\0', await hash('', 4))).toBe(false);
  });

  it('takes the password as typed: composed and decomposed are two', async () => {
    expect(await bcryptScheme.verify('cafe\u0301', await hash('cafe\u0301', 4))).toBe(true);
    expect(await bcryptScheme.verify('caf\u00e9', await hash('cafe\u0301', 4))).toBe(false);
  });

  const withCost = (cost: string) => `$2b$${cost}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW`;

  it('refuses a cost above its ceiling, without doing it', async () => {
    const started = performance.now();
    for (let cost = BCRYPT_MAX_COST + 1; cost <= 31; cost++) {
      await expect(bcryptScheme.verify('U*U', withCost(String(cost)))).rejects.toMatchObject(tooCostly);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ['a cost below 4', withCost('03')],
    ['a cost above 31', withCost('32')],
    ['a cost of one digit', withCost('5')],
    ['$2$', withCost('05').replace('$2b$', '$2$')],
    ['the faulty $2x$', '$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e'],
    ['loose bits after the salt', withCost('05').replace('C.E5', 'C/E5')],
    ['loose bits after the digest', `${withCost('05').slice(0, -1)}X`],
    ['a character too few', withCost('05').slice(0, -1)],
    ['a character too many', `${withCost('05')}.`],
    ['a foreign character', withCost('05').replace('kmyu', 'km+u')],
    ['a line break at the end', `${withCost('05')}\n`],
  ])('calls %s malformed', async (_what, stored) => {
    expect(bcryptScheme.recognises(stored)).toBe(true);
    await expect(bcryptScheme.verify('U*U', stored)).rejects.toMatchObject(malformed);
  });
});

import { hashRaw } from '@node-rs/argon2';
import argon2 from 'argon2';
import fc from 'fast-check';

import {
  ARGON2_MAX_MEMORY_KIB,
  ARGON2_MAX_PARALLELISM,
  ARGON2_MAX_TIME,
  argon2Scheme,
  hashArgon2id,
  isCurrentArgon2id,
} from './argon2id.js';

const malformed = { name: 'UnusableHashError', scheme: 'argon2', reason: 'malformed' };
const tooCostly = { ...malformed, reason: 'too_costly' };

const SMALL = { memoryKib: 64, time: 1, parallelism: 1 };
const SALT = 'c29tZXNhbHQ'; // "somesalt"
const phc = (prefix: string, hex: string) =>
  `${prefix}$${SALT}$${Buffer.from(hex, 'hex').toString('base64').replace(/=+$/, '')}`;

describe('argon2Scheme', () => {
  // The reference implementation's test.c, passlib's and supabase's tests.
  it.each([
    ['$argon2id$v=19$m=65536,t=2,p=1', '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7'],
    ['$argon2id$v=19$m=256,t=2,p=1', '9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe'],
    ['$argon2id$v=19$m=256,t=2,p=2', '6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037'],
    ['$argon2i$v=19$m=65536,t=2,p=1', 'c1628832147d9720c5bd1cfd61367078729f6dfb6f8fea9ff98158e0d7816ed0'],
    ['$argon2i$v=19$m=256,t=2,p=1', '89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f'],
    ['$argon2i$m=65536,t=2,p=1', 'f6c4db4a54e2a370627aff3db6176b94a2a209a62c8e36152711802f7b30c694'],
    ['$argon2i$v=16$m=65536,t=2,p=1', 'f6c4db4a54e2a370627aff3db6176b94a2a209a62c8e36152711802f7b30c694'],
    ['$argon2d$v=19$m=65536,t=2,p=1', '955e5d5b163a1b60bba35fc36d0496474fba4f6b59ad53628666f07fb2f93eaf'],
  ])('verifies the known hash of "password" under %s', async (prefix, hex) => {
    expect(await argon2Scheme.verify('password', phc(prefix, hex))).toBe(true);
    expect(await argon2Scheme.verify('Password', phc(prefix, hex))).toBe(false);
  });

  it.each([
    ['password', '$argon2i$m=65536,t=2,p=4$c29tZXNhbHQAAAAAAAAAAA$QWLzI4TY9HkL2ZTLc8g6SinwdhZewYrzz9zxCo0bkGY'],
    ['password', '$argon2i$v=19$m=380,t=2,p=2$c29tZXNhbHQ$SrssP8n7m/12VWPM8dvNrw'],
    ['password', '$argon2d$v=19$m=102400,t=2,p=8$g2RodLh8j8WbSdCp+lUy/A$zzAJqL/HSjm809PYQu6qkA'],
    ['password\0', '$argon2i$v=19$m=512,t=2,p=2$c29tZXNhbHQ$Fb5+nPuLzZvtqKRwqUEtUQ'],
    ['táБℓə', '$argon2i$v=19$m=512,t=2,p=2$1sV0O4PWLtc12Ypv1f7oGw$z+yqzlKtrq3SaNfXDfIDnQ'],
    ['test', '$argon2i$v=19$m=16,t=2,p=1$bGJRWThNOHJJTVBSdHl2dQ$NfEnUOuUpb7F2fQkgFUG4g'],
    ['test', '$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk'],
  ])('verifies %j against %s', async (password, stored) => {
    expect(await argon2Scheme.verify(password, stored)).toBe(true);
    expect(await argon2Scheme.verify(`${password}.`, stored)).toBe(false);
  });

  it('reads the parameters in any order', async () => {
    const digest = '$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk';
    for (const order of [
      'm=32,t=3,p=2',
      'm=32,p=2,t=3',
      't=3,m=32,p=2',
      't=3,p=2,m=32',
      'p=2,m=32,t=3',
      'p=2,t=3,m=32',
    ]) {
      expect(await argon2Scheme.verify('test', `$argon2id$v=19$${order}${digest}`)).toBe(true);
      expect(isCurrentArgon2id(`$argon2id$v=19$${order}${digest}`, { memoryKib: 32, time: 3, parallelism: 2 })).toBe(
        true,
      );
    }
  });

  it('takes a password composed or decomposed', async () => {
    const stored = await hashArgon2id('caf\u00e9 au lait', SMALL);
    expect(await argon2Scheme.verify('cafe\u0301 au lait', stored)).toBe(true);
    expect(await argon2Scheme.verify('caf\u00e9 au lait', await hashArgon2id('cafe\u0301 au lait', SMALL))).toBe(true);
    expect(await argon2Scheme.verify('cafe au lait', stored)).toBe(false);
  });

  const salt = Buffer.alloc(16, 7).toString('base64').replace(/=+$/, '');
  const digest = Buffer.alloc(32, 9).toString('base64').replace(/=+$/, '');
  const withParameters = (parameters: string) => `$argon2id$v=19$${parameters}$${salt}$${digest}`;

  it('refuses what costs more than its ceilings, without doing it', async () => {
    const started = performance.now();
    for (const parameters of [
      `m=${ARGON2_MAX_MEMORY_KIB + 1},t=1,p=1`,
      `m=64,t=${ARGON2_MAX_TIME + 1},p=1`,
      `m=1024,t=1,p=${ARGON2_MAX_PARALLELISM + 1}`,
      'm=4194304,t=1,p=1',
      'm=999999999999999,t=999999999999999,p=1',
    ]) {
      await expect(argon2Scheme.verify('x', withParameters(parameters))).rejects.toMatchObject(tooCostly);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('checks what costs as much as a ceiling', async () => {
    for (const parameters of [
      `m=${ARGON2_MAX_MEMORY_KIB},t=1,p=1`,
      `m=64,t=${ARGON2_MAX_TIME},p=1`,
      `m=128,t=1,p=${ARGON2_MAX_PARALLELISM}`,
    ]) {
      expect(await argon2Scheme.verify('x', withParameters(parameters))).toBe(false);
    }
  });

  const bytes = (length: number) => Buffer.alloc(length, 7).toString('base64').replace(/=+$/, '');

  it.each([
    ['an unknown type', `$argon2x$v=19$m=64,t=1,p=1$${salt}$${digest}`],
    ['an unknown version', `$argon2id$v=18$m=64,t=1,p=1$${salt}$${digest}`],
    ['a missing parameter', withParameters('m=64,t=1')],
    ['one parameter twice', withParameters('m=64,t=1,t=1')],
    ['a parameter of zero', withParameters('m=64,t=0,p=1')],
    ['a leading zero', withParameters('m=064,t=1,p=1')],
    ['a number beyond fifteen digits', withParameters('m=1000000000000000,t=1,p=1')],
    ['associated data', withParameters('m=64,t=1,p=1,data=AAAA')],
    ['less than eight blocks a lane', withParameters('m=15,t=1,p=2')],
    ['a salt of 7 bytes', `$argon2id$v=19$m=64,t=1,p=1$${bytes(7)}$${digest}`],
    ['a salt of 65 bytes', `$argon2id$v=19$m=64,t=1,p=1$${bytes(65)}$${digest}`],
    ['a digest of 15 bytes', `$argon2id$v=19$m=64,t=1,p=1$${salt}$${bytes(15)}`],
    ['a digest of 129 bytes', `$argon2id$v=19$m=64,t=1,p=1$${salt}$${bytes(129)}`],
    ['no digest', `$argon2id$v=19$m=64,t=1,p=1$${salt}`],
    ['padding', `$argon2id$v=19$m=64,t=1,p=1$${salt}==$${digest}`],
    ['loose bits', `$argon2id$v=19$m=64,t=1,p=1$${salt.slice(0, -1)}x$${digest}`],
    ['a line break at the end', `${withParameters('m=64,t=1,p=1')}\n`],
    ['only its prefix', '$argon2id$'],
  ])('calls %s malformed', async (_what, stored) => {
    expect(argon2Scheme.recognises(stored)).toBe(true);
    await expect(argon2Scheme.verify('x', stored)).rejects.toMatchObject(malformed);
  });

  it('takes salts of 8 to 64 bytes and digests of 16 to 128', async () => {
    for (const [saltBytes, digestBytes] of [
      [8, 16],
      [64, 128],
    ]) {
      const raw = {
        salt: Buffer.alloc(saltBytes, 7),
        outputLen: digestBytes,
        memoryCost: 64,
        timeCost: 1,
        parallelism: 1,
      };
      const known = (await hashRaw('x', raw)).toString('base64').replace(/=+$/, '');
      expect(await argon2Scheme.verify('x', `$argon2id$v=19$m=64,t=1,p=1$${bytes(saltBytes)}$${known}`)).toBe(true);
    }
  });
});

describe('hashArgon2id', () => {
  it('makes a PHC string of the cost asked for, with a new salt each time', async () => {
    const cost = { memoryKib: 19_456, time: 2, parallelism: 1 };
    const [one, other] = await Promise.all([hashArgon2id('x', cost), hashArgon2id('x', cost)]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(other);
    expect(isCurrentArgon2id(one, cost)).toBe(true);
  });

  it('makes nothing that could not be verified', async () => {
    await expect(hashArgon2id('x', { ...SMALL, memoryKib: ARGON2_MAX_MEMORY_KIB + 1 })).rejects.toThrow(RangeError);
    await expect(hashArgon2id('x', { ...SMALL, time: ARGON2_MAX_TIME + 1 })).rejects.toThrow(RangeError);
    await expect(hashArgon2id('x', { ...SMALL, parallelism: ARGON2_MAX_PARALLELISM + 1 })).rejects.toThrow(RangeError);
  });
});

describe('isCurrentArgon2id', () => {
  const cost = { memoryKib: 64, time: 2, parallelism: 2 };

  it('asks for a new hash where any part of the cost is another, lower or higher', async () => {
    const stored = await hashArgon2id('x', cost);
    expect(isCurrentArgon2id(stored, cost)).toBe(true);
    for (const other of [
      { memoryKib: 32 },
      { memoryKib: 128 },
      { time: 1 },
      { time: 3 },
      { parallelism: 1 },
      { parallelism: 4 },
    ]) {
      expect(isCurrentArgon2id(stored, { ...cost, ...other })).toBe(false);
    }
  });

  it('asks for a new hash for Argon2i and Argon2d, an old version, a short salt or digest', async () => {
    const stored = await hashArgon2id('x', cost);
    expect(isCurrentArgon2id(stored.replace('argon2id', 'argon2i'), cost)).toBe(false);
    expect(isCurrentArgon2id(stored.replace('argon2id', 'argon2d'), cost)).toBe(false);
    expect(isCurrentArgon2id(stored.replace('v=19', 'v=16'), cost)).toBe(false);
    expect(isCurrentArgon2id(stored.replace('v=19$', ''), cost)).toBe(false);
    const [prefix, , digest] = stored.split(/\$(?=[A-Za-z0-9+/]+(?:\$|$))/).slice(-3);
    expect(prefix).toBeDefined();
    expect(isCurrentArgon2id(`$argon2id$v=19$m=64,t=2,p=2$${SALT}$${digest}`, cost)).toBe(false);
    expect(isCurrentArgon2id(stored.slice(0, -21), cost)).toBe(false);
  });

  it('asks for a new hash for every other scheme, and for what is no hash', () => {
    for (const stored of [
      '',
      'x',
      '$argon2id$',
      '$2b$10$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui',
      'a'.repeat(64),
    ]) {
      expect(isCurrentArgon2id(stored, cost)).toBe(false);
    }
  });
});

describe('the two Argon2 libraries', () => {
  const password = fc.string({ unit: 'grapheme', maxLength: 40 });
  const cost = fc.record({
    memoryKib: fc.integer({ min: 32, max: 96 }),
    time: fc.integer({ min: 1, max: 3 }),
    parallelism: fc.integer({ min: 1, max: 4 }),
  });

  it('verify what the other made, in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(
        password,
        cost,
        fc.constantFrom(argon2.argon2d, argon2.argon2i, argon2.argon2id),
        async (text, at, type) => {
          const normal = text.normalize('NFC');
          const ours = await hashArgon2id(text, at);
          expect(await argon2.verify(ours, normal)).toBe(true);
          expect(await argon2.verify(ours, `${normal}.`)).toBe(false);
          expect(
            argon2.needsRehash(ours, { memoryCost: at.memoryKib, timeCost: at.time, parallelism: at.parallelism }),
          ).toBe(false);

          const options = { type, memoryCost: at.memoryKib, timeCost: at.time, parallelism: at.parallelism };
          const theirs = await argon2.hash(normal, options);
          expect(await argon2Scheme.verify(text, theirs)).toBe(true);
          expect(await argon2Scheme.verify(`${text}.`, theirs)).toBe(false);
          expect(isCurrentArgon2id(theirs, at)).toBe(type === argon2.argon2id);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('agree at the default cost', async () => {
    const ours = await hashArgon2id('correct horse battery staple', { memoryKib: 19_456, time: 2, parallelism: 1 });
    expect(await argon2.verify(ours, 'correct horse battery staple')).toBe(true);
    const theirs = await argon2.hash('correct horse battery staple', {
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
    });
    expect(await argon2Scheme.verify('correct horse battery staple', theirs)).toBe(true);
  });
});

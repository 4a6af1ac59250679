import { createCipheriv, scryptSync } from 'node:crypto';

import fc from 'fast-check';

import { type PasswordScheme, UnusableHashError } from './password-scheme.js';
import { findScheme, SCHEMES } from './scheme-registry.js';

/** A cheap hash of each kind. */
const SAMPLES: readonly (readonly [scheme: string, password: string, stored: string])[] = [
  ['argon2', 'test', '$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk'],
  ['argon2', 'test', '$argon2i$v=19$m=16,t=2,p=1$bGJRWThNOHJJTVBSdHl2dQ$NfEnUOuUpb7F2fQkgFUG4g'],
  ['bcrypt', 'test', '$2y$04$mIJxfrCaEI3GukZe11CiXublhEFanu5.ododkll1WphfSp6pn4zIu'],
  ['scrypt', 'nacl', '$scrypt$ln=1,r=4,p=2$yhnD+J+Tci4lZCwFgHCuVQ$fAsEWmxSHuC0cHKMwKVFPzrQukgvK09Sj+NueTSxKds'],
  ['firebase-scrypt', 'test', firebaseSample('test')],
  ['better-auth', 'ﬁt', betterAuthSample('ﬁt')],
  ['pbkdf2', 'password', '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ'],
  ['pbkdf2', 'admin', '$pbkdf2-sha1$i=1,l=20$c2FsdA$sLZPjmKKODn5Yach59KJEP907Es'],
  ['pbkdf2', 'not a password', 'pbkdf2_sha1$10000$wz5B6WkasRoF$atJmJ1o+XfJxKq1+Nu1f1i57Z5I='],
  ['phpass', 'JohnRipper', '$P$612345678si5M0DDyPpmRCmcltU/YW/'],
  ['ldap-sha', 'secret', '{SSHA}0H+zTv8o4MR4H43n03eCsvw1luG8LdB7'],
  ['ldap-sha', 'helloworld', '{SHA}at+xg6SiyUovktq1redipHiJpaE='],
  ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
];

function firebaseSample(password: string): string {
  const signerKey = Buffer.alloc(64, 3);
  const key = scryptSync(password, Buffer.from('salt and separator'), 32, { N: 16, r: 8, p: 1 });
  const hash = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(signerKey);
  const [separator, salt] = [' and separator', 'salt'].map((text) => Buffer.from(text).toString('base64'));
  return `$fbscrypt$v=1,n=4,r=8,p=1,ss=${separator},sk=${signerKey.toString('base64')}$${salt}$${hash.toString('base64')}`;
}

function betterAuthSample(password: string): string {
  const salt = '00112233445566778899aabbccddeeff';
  const key = scryptSync(password.normalize('NFKC'), salt, 64, { N: 16_384, r: 16, p: 1, maxmem: 2 ** 26 });
  return `${salt}:${key.toString('hex')}`;
}

/** What came of it: a verdict, or why there is none. Anything else is thrown on. */
async function outcome(scheme: PasswordScheme, password: string, stored: string): Promise<boolean | string> {
  try {
    const fits = await scheme.verify(password, stored);
    expect(typeof fits).toBe('boolean');
    return fits;
  } catch (error) {
    if (error instanceof UnusableHashError) return error.reason;
    throw error;
  }
}

describe('findScheme', () => {
  it.each(SAMPLES)('finds %s, and it alone', async (name, password, stored) => {
    expect(findScheme(stored)?.name).toBe(name);
    expect(SCHEMES.filter((scheme) => scheme.recognises(stored))).toHaveLength(1);
    expect(await findScheme(stored)!.verify(password, stored)).toBe(true);
  });

  it('finds a sample of every scheme here', () => {
    expect([...new Set(SAMPLES.map(([name]) => name))]).toEqual(SCHEMES.map(({ name }) => name));
  });

  it('finds nothing for what is no hash', () => {
    for (const stored of [
      '',
      'password',
      '$',
      '$$',
      '$1$salt$hash',
      '{MD5}abc',
      '$6$x$y',
      'ba7816bf',
      '!',
      '*',
      '\0',
      '$wp$2y$10$x',
    ]) {
      expect(findScheme(stored)).toBeNull();
    }
  });
});

describe('every scheme', () => {
  it.each(SAMPLES)(
    '%s refuses the password %j with any one bit changed, and any part of it',
    async (_name, password, stored) => {
      const scheme = findScheme(stored)!;
      for (let at = 0; at < password.length; at++) {
        for (let bit = 0; bit < 7; bit++) {
          const changed = String.fromCharCode(password.charCodeAt(at) ^ (1 << bit));
          expect(await scheme.verify(password.slice(0, at) + changed + password.slice(at + 1), stored)).toBe(false);
        }
        expect(await scheme.verify(password.slice(0, at), stored)).toBe(false);
      }
      for (const other of [` ${password}`, `${password} `, `\0${password}`, password + password, `\ufeff${password}`]) {
        expect(await scheme.verify(other, stored)).toBe(false);
      }
    },
  );

  it.each(SAMPLES)('%s lets %j pass under no hash with one bit changed', async (_name, password, stored) => {
    for (let at = 0; at < stored.length; at++) {
      const changed = stored.slice(0, at) + String.fromCharCode(stored.charCodeAt(at) ^ 1) + stored.slice(at + 1);
      const scheme = findScheme(changed);
      if (scheme) expect([changed, await outcome(scheme, password, changed)]).not.toEqual([changed, true]);
    }
  });

  it.each(SAMPLES)(
    '%s lets %j pass under no hash with less than 16 bytes of its digest left',
    async (_name, password, stored) => {
      const digestAt = stored.lastIndexOf('$') + 1;
      for (let length = 0; length < stored.length; length++) {
        const cut = stored.slice(0, length);
        const scheme = findScheme(cut);
        // scrypt and PBKDF2 make digests of any length, each the beginning of the longer.
        if (scheme && (await outcome(scheme, password, cut)) === true)
          expect(length - digestAt).toBeGreaterThanOrEqual(22);
      }
    },
  );

  it('is looked at without work, to the verdict that a check comes to', async () => {
    const inspected = (scheme: PasswordScheme, stored: string) => {
      try {
        scheme.inspect(stored);
        return 'usable';
      } catch (error) {
        return (error as UnusableHashError).reason;
      }
    };
    for (const [, , stored] of SAMPLES) {
      for (const text of [stored, `${stored}!`, stored.slice(0, -1), stored.slice(0, 12), stored.replace(/\d/, '99')]) {
        const scheme = findScheme(text);
        if (!scheme) continue;
        const verdict = await outcome(scheme, 'x', text);
        expect([text, inspected(scheme, text)]).toEqual([text, typeof verdict === 'string' ? verdict : 'usable']);
      }
    }
  });

  it('minds a NUL behind the password, but for those that rest on HMAC, whose short keys end in NULs (RFC 2104)', async () => {
    const deceived = new Set<string>();
    for (const [name, password, stored] of SAMPLES) {
      if (await findScheme(stored)!.verify(`${password}\0`, stored)) deceived.add(name);
    }
    expect([...deceived]).toEqual(['scrypt', 'firebase-scrypt', 'better-auth', 'pbkdf2']);
  });

  it('never shows the hash in what it throws', async () => {
    for (const [, , stored] of SAMPLES.filter(([name]) => name !== 'sha256')) {
      const broken = `${stored}!`;
      const error: unknown = await findScheme(broken)!
        .verify('x', broken)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UnusableHashError);
      expect(JSON.stringify([String(error), Object.entries(error as Error)])).not.toContain(stored.slice(-8));
    }
  });

  it('calls a text of more than 1,024 characters malformed at once, whatever it is', async () => {
    const tails = [
      '0'.repeat(1_000_000),
      'A'.repeat(1_000_000),
      '='.repeat(1_000_000),
      '$'.repeat(1_000_000),
      'm=1,'.repeat(250_000),
    ];
    const started = performance.now();
    for (const [, password, stored] of SAMPLES) {
      for (const text of tails.flatMap((tail) => [
        stored + tail,
        stored.slice(0, 12) + tail,
        stored.slice(0, -3) + tail,
      ])) {
        const scheme = findScheme(text);
        if (scheme) expect(await outcome(scheme, password, text)).toBe('malformed');
      }
    }
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('reads texts made to lead a pattern astray in no time', async () => {
    const tails = ['0', '1', 'A', 'A=', '=', '$', '$A', '1$', 'm=1,', 'A$A', ',', '/', '+', '.'];
    let slowest = 0;
    for (const [, , stored] of SAMPLES) {
      for (let cut = 1; cut <= stored.length; cut += 3) {
        for (const tail of tails) {
          const text = `${(stored.slice(0, cut) + tail.repeat(1024)).slice(0, 1022)}!!`;
          const scheme = findScheme(text);
          if (!scheme) continue;
          const started = performance.now();
          expect(await outcome(scheme, 'x', text)).toBe('malformed');
          slowest = Math.max(slowest, performance.now() - started);
        }
      }
    }
    expect(slowest).toBeLessThan(1000);
  });

  const password = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.constantFrom('', 'x', '\ud800', 'a\0b'));
  const character = fc.oneof(
    fc.constantFrom(...'$,=.:{}0123456789aAzZ+/-_'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  );
  const sample = fc.constantFrom(...SAMPLES.map(([, , stored]) => stored));

  /** A known hash with one to three characters put in, replaced or taken out. */
  const mutated = fc
    .tuple(
      sample,
      fc.array(fc.tuple(fc.nat(), character, fc.constantFrom('in', 'over', 'out')), { minLength: 1, maxLength: 3 }),
    )
    .map(([stored, edits]) =>
      edits.reduce((text, [where, what, how]) => {
        const at = where % (text.length + 1);
        return text.slice(0, at) + (how === 'out' ? '' : what) + text.slice(how === 'in' ? at : at + 1);
      }, stored),
    );

  /** The parts of known hashes, in any order. */
  const shuffled = fc
    .array(
      fc.oneof(
        sample.chain((stored) => fc.constantFrom(...stored.split(/(?=[$,={}])/))),
        character,
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(''));

  it.each([
    ['arbitrary texts', fc.string({ unit: 'binary', maxLength: 200 }), 2000],
    [
      'arbitrary texts behind a prefix',
      fc
        .tuple(
          sample.map((stored) => stored.slice(0, 10)),
          fc.string({ maxLength: 200 }),
        )
        .map((parts) => parts.join('')),
      2000,
    ],
    ['known hashes with a few characters changed', mutated, 2000],
    ['parts of known hashes in any order', shuffled, 2000],
  ])(
    'answers with a verdict or an UnusableHashError for %s, and refuses quickly',
    async (_what, texts, numRuns) => {
      await fc.assert(
        fc.asyncProperty(texts, password, async (stored, typed) => {
          const scheme = findScheme(stored);
          if (!scheme) return;
          const started = performance.now();
          const verdict = await outcome(scheme, typed, stored);
          const elapsed = performance.now() - started;
          expect([true, false, 'malformed', 'too_costly']).toContain(verdict);
          expect(verdict).not.toBe(true);
          expect(elapsed).toBeLessThan(typeof verdict === 'string' ? 1000 : 10_000);
        }),
        { numRuns },
      );
    },
    120_000,
  );
});

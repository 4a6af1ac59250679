import { PBKDF2_MAX_ROUNDS, pbkdf2Scheme } from './pbkdf2.js';

const malformed = { name: 'UnusableHashError', scheme: 'pbkdf2', reason: 'malformed' };
const tooCostly = { ...malformed, reason: 'too_costly' };

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
const SALT = base64(Buffer.from('salt'));
const key = (length: number) => base64(Buffer.alloc(length, 9));

describe('pbkdf2Scheme', () => {
  // RFC 6070 (SHA-1), RFC 7914, section 11 (SHA-256), and the like for SHA-512.
  it.each([
    ['sha1', 'password', 'salt', 1, '0c60c80f961f0e71f3a9b524af6012062fe037a6'],
    ['sha1', 'password', 'salt', 4096, '4b007901b765489abead49d926f721d065a429c1'],
    [
      'sha1',
      'passwordPASSWORDpassword',
      'saltSALTsaltSALTsaltSALTsaltSALTsalt',
      4096,
      '3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038',
    ],
    ['sha1', 'pass\0word', 'sa\0lt', 4096, '56fa6aa75548099dcc37d7f03425e0c3'],
    [
      'sha256',
      'passwd',
      'salt',
      1,
      '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
    ],
    [
      'sha256',
      'Password',
      'NaCl',
      80_000,
      '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d',
    ],
    [
      'sha512',
      'password',
      'salt',
      1,
      '867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce',
    ],
  ])(
    'verifies the known key of HMAC-%s, %j, %j and %d iterations, in either spelling',
    async (digest, password, salt, iterations, hex) => {
      const bytes = Buffer.from(hex, 'hex');
      const tail = `${base64(Buffer.from(salt))}$${base64(bytes)}`;
      for (const stored of [
        `$pbkdf2-${digest}$i=${iterations}$${tail}`,
        `$pbkdf2-${digest}$i=${iterations},l=${bytes.length}$${tail}`,
        `$pbkdf2-${digest}$${iterations}$${tail.replaceAll('+', '.')}`,
      ]) {
        expect(await pbkdf2Scheme.verify(password, stored)).toBe(true);
        expect(await pbkdf2Scheme.verify(`${password} `, stored)).toBe(false);
      }
    },
  );

  // passlib's tests.
  it.each([
    ['password', '$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI'],
    ['Ιωαννης', '$pbkdf2$1212$THDqatpidANpadlLeTeOEg$HV3oi1k5C5LQCgG1BMOL.BX4YZc'],
    ['password', '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ'],
    ['Ιωαννης', '$pbkdf2-sha256$1212$3SABFJGDtyhrQMVt1uABPw$WyaUoqCLgvz97s523nF4iuOqZNbp5Nt8do/cuaa7AiI'],
    [
      'password',
      '$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww',
    ],
    [
      'Ιωαννης',
      '$pbkdf2-sha512$1212$KkbvoKGsAIcF8IslDR6skQ$8be/PRmd88Ps8fmPowCJttH9G3vgxpG.Krjt3KT.NP6cKJ0V4Prarqf.HBwz0dCkJ6xgWnSj2ynXSV7MlvMa8Q',
    ],
    // Django's own tests, and passlib's of it.
    ['lètmein', 'pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY='],
    ['lètmein', 'pbkdf2_sha256$870000$seasalt$wJSpLMQRQz0Dhj/pFpbyjMj71B2gUYp6HJS5AU+32Ac='],
    ['not a password', 'pbkdf2_sha256$10000$kjVJaVz6qsnJ$5yPHw3rwJGECpUf70daLGhOrQ5+AMxIJdz1c3bqK1Rs='],
    ['not a password', 'pbkdf2_sha1$10000$wz5B6WkasRoF$atJmJ1o+XfJxKq1+Nu1f1i57Z5I='],
    ['táБℓə', 'pbkdf2_sha1$10000$KZKWwvqb8BfL$rw5pWsxJEU4JrZAQhHTCO+u0f5Y='],
  ])('verifies %j against %s', async (password, stored) => {
    expect(await pbkdf2Scheme.verify(password, stored)).toBe(true);
    expect(await pbkdf2Scheme.verify(`${password} `, stored)).toBe(false);
  });

  it('refuses what costs more than its ceilings, without doing it', async () => {
    expect(PBKDF2_MAX_ROUNDS).toEqual({ sha1: 4_000_000, sha256: 4_000_000, sha512: 2_000_000 });
    const started = performance.now();
    for (const stored of [
      `$pbkdf2$4000001$${SALT}$${key(20)}`,
      `$pbkdf2$2000001$${SALT}$${key(21)}`, // a second block is as much work again
      `$pbkdf2$16777216$${SALT}$${key(20)}`, // the largest of RFC 6070
      `$pbkdf2-sha256$i=4000001$${SALT}$${key(32)}`,
      `$pbkdf2-sha256$i=1000001$${SALT}$${key(128)}`,
      `$pbkdf2-sha512$i=2000001$${SALT}$${key(64)}`,
      `$pbkdf2-sha512$i=1000001$${SALT}$${key(65)}`,
      `pbkdf2_sha256$4000001$salt$${key(32)}=`,
      `pbkdf2_sha256$999999999999999$salt$${key(32)}=`,
    ]) {
      await expect(pbkdf2Scheme.verify('x', stored)).rejects.toMatchObject(tooCostly);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ['another digest', `$pbkdf2-sha3$1000$${SALT}$${key(32)}`],
    ["another digest of Django's kind", `pbkdf2_md5$1000$salt$${key(16)}==`],
    ['no iterations', `$pbkdf2-sha256$0$${SALT}$${key(32)}`],
    ['a leading zero', `$pbkdf2-sha256$01212$${SALT}$${key(32)}`],
    ['empty iterations', `$pbkdf2-sha256$$${SALT}$${key(32)}`],
    ['a length that is not that of the key', `$pbkdf2-sha256$i=1000,l=20$${SALT}$${key(32)}`],
    ["a length in passlib's form", `$pbkdf2-sha256$1000,l=32$${SALT}$${key(32)}`],
    ['a key of 15 bytes', `$pbkdf2-sha256$1000$${SALT}$${key(15)}`],
    ['a key of 129 bytes', `$pbkdf2-sha256$1000$${SALT}$${key(129)}`],
    ['no salt', `$pbkdf2-sha256$1000$$${key(32)}`],
    ["no salt in Django's form", `pbkdf2_sha256$1000$$${key(32)}=`],
    ['no key', `$pbkdf2-sha256$1000$${SALT}$`],
    ['loose bits', `$pbkdf2-sha256$1000$${SALT}$${key(32).slice(0, -1)}l`],
    ['a part too many', `$pbkdf2-sha256$1000$${SALT}$${key(32)}$`],
    ['a line break at the end', `pbkdf2_sha256$1000$salt$${key(32)}=\n`],
    ['only its prefix', '$pbkdf2-'],
  ])('calls %s malformed', async (_what, stored) => {
    expect(pbkdf2Scheme.recognises(stored)).toBe(true);
    await expect(pbkdf2Scheme.verify('x', stored)).rejects.toMatchObject(malformed);
  });
});

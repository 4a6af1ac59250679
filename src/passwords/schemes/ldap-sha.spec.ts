import { createHash } from 'node:crypto';

import { ldapShaScheme } from './ldap-sha.js';

const malformed = { name: 'UnusableHashError', scheme: 'ldap-sha', reason: 'malformed' };

const salted = (saltBytes: number) => {
  const salt = Buffer.alloc(saltBytes, 5);
  return `{SSHA}${Buffer.concat([createHash('sha1').update('x').update(salt).digest(), salt]).toString('base64')}`;
};

describe('ldapShaScheme', () => {
  // passlib's tests, and ezldap's.
  it.each([
    ['helloworld', '{SHA}at+xg6SiyUovktq1redipHiJpaE='],
    ['táБℓə', '{SHA}4FmyYo46Pi3glWed6YIsHRRm4PA='],
    ['testing123', '{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr'],
    ['secret', '{SSHA}0H+zTv8o4MR4H43n03eCsvw1luG8LdB7'],
    ['táБℓə', '{SSHA}3yCSD1nLZXznra4N8XzZgAL+s1sQYsx5'],
    ['does this work?', '{SSHA}qLhale/wd2F5xIeDIUiZVvRIc2RvBvlE'],
    ['test', '{SSHA}P90+qijSp8MJ1tN25j5o1PflUvlqjXHOGeOckw=='],
    ['test', '{SSHA}/ZMF5KymNM+uEOjW+9STKlfCFj51bg3BmBNCiPHeW2ttbU0='],
    ['test', '{SSHA}Pfx6Vf48AT9x3FVv8znbo8WQkEVSipHSWovxXmvNWUvp/d/7'],
    ['password', '{SSHA256}x1tymSTVjozxQ2PtT46ysrzhZxbcskK0o2f8hEFx7fAQQmhtDSEkJA=='],
    ['letmèïn', '{SSHA256}km7UjUTBZN8a+gf1ND2/qn15N7LsO/jmGYJXvyTfJKAbI0RoLWWslQ=='],
    ['test', '{SSHA256}TFv2RpwyO0U9mA0Hk8FsXRa1I+4dNUtv27Qa8dzGVLinlDIm'],
    [
      'toomanysecrets',
      '{SSHA512}wExp4xjiCHS0zidJDC4UJq9EEeIebAQPJ1PWSwfhxWjfutI9XiiKuHm2AE41cEFfK+8HyI8bh+ztbczUGsvVFIgICWWPt7qu',
    ],
    [
      'password',
      '{SSHA512}f/lFQskkl7PdMsTGJxHZq8LDt/l+UqRMm6/pj4pV7/xZkcOaKCgvQqp+KCeXc/Vd4RY6vEHWn4y0DnFcQ6wgyv9fyxk=',
    ],
    ['abc', '{SHA256}ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='], // FIPS 180-4's example
    ['abc', '{SHA512}3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=='],
  ])('verifies %j against %s', async (password, stored) => {
    expect(await ldapShaScheme.verify(password, stored)).toBe(true);
    expect(await ldapShaScheme.verify(`${password} `, stored)).toBe(false);
  });

  it('does not mind the case of the name', async () => {
    expect(ldapShaScheme.recognises('{ssha}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr')).toBe(true);
    expect(await ldapShaScheme.verify('testing123', '{ssha}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr')).toBe(true);
  });

  it('takes salts of 1 to 64 bytes', async () => {
    expect(await ldapShaScheme.verify('x', salted(1))).toBe(true);
    expect(await ldapShaScheme.verify('x', salted(64))).toBe(true);
    await expect(ldapShaScheme.verify('x', salted(0))).rejects.toMatchObject(malformed);
    await expect(ldapShaScheme.verify('x', salted(65))).rejects.toMatchObject(malformed);
  });

  it.each([
    ['a salt where none belongs', '{SHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr'],
    ['a digest too short', `{SSHA256}${Buffer.alloc(31).toString('base64')}`],
    ['base64 without its end', '{SSHA}P90+qijSp8MJ1tN25j5o1PflUvlqjXHOGeOck'],
    ['half its padding', '{SSHA}P90+qijSp8MJ1tN25j5o1PflUvlqjXHOGeOckw='],
    ['no padding', '{SSHA}P90+qijSp8MJ1tN25j5o1PflUvlqjXHOGeOckw'],
    ['padding in the middle', '{SSHA}P90+qijSp8MJ1tN25j5o1Pf=UvlqjXHOGeOckw=='],
    ['too much padding', '{SSHA}P90+qijSp8MJ1tN25j5o1PflUvlqjXHOGeOck==='],
    ['loose bits', '{SSHA}P90+qijSp8MJ1tN25j5o1PflUvlqjXHOGeOckx=='],
    ['a line break at the end', '{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr\n'],
    ['only its name', '{SSHA}'],
  ])('calls %s malformed', async (_what, stored) => {
    expect(ldapShaScheme.recognises(stored)).toBe(true);
    await expect(ldapShaScheme.verify('test', stored)).rejects.toMatchObject(malformed);
  });
});

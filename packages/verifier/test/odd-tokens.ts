import { createHmac } from 'node:crypto';

import { ids, NOW, SECRET, type TestIssuer, userClaims } from './issuer.js';

export interface OddToken {
  readonly name: string;
  readonly token: string;
  readonly result: 'token_invalid' | 'token_expired';
  readonly reason: string;
}

const without = (name: string): Record<string, unknown> => {
  const { [name]: _, ...rest } = userClaims();
  return rest;
};
const json = (text: string) => (claims: Record<string, unknown>) =>
  JSON.stringify(claims).replace(/"exp":\d+/, `"exp":${text}`);
const hs256 = (input: string): string => createHmac('sha256', SECRET).update(input).digest('base64url');
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Each way to be bad, by name: what libraries let by, and what has been somebody's vulnerability. */
export function oddTokens(issuer: TestIssuer): OddToken[] {
  const good = issuer.token();
  const [head, payload, signature] = good.split('.');
  const header = { typ: 'at+jwt', alg: issuer.alg, kid: issuer.kid };
  const of = (name: string, token: string, reason: string): OddToken => ({
    name,
    token,
    result: 'token_invalid',
    reason,
  });
  const claims = (name: string, overrides: Record<string, unknown>, reason: string): OddToken =>
    of(name, issuer.token(userClaims(overrides)), reason);
  const headed = (name: string, extra: object, reason: string): OddToken =>
    of(name, issuer.token(userClaims(), { ...header, ...extra }), reason);
  const forged = (alg: string, extra: object = {}): string => `${part({ ...header, alg, ...extra })}.${payload}`;
  const last = signature.at(-1)!;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const loose = alphabet[alphabet.indexOf(last) + 1];

  return [
    of('empty', '', 'format'),
    of('one part', 'abc', 'format'),
    of('two parts', `${head}.${payload}`, 'format'),
    of('four parts', `${good}.${signature}`, 'format'),
    of('five parts, as a JWE has', 'a.b.c.d.e', 'format'),
    of('no signature', `${head}.${payload}.`, 'format'),
    of('no payload', `${head}..${signature}`, 'format'),
    of('padding at the end', `${good}=`, 'format'),
    of('padding after the header', `${head}=.${payload}.${signature}`, 'format'),
    of('a space at the end', `${good} `, 'format'),
    of('a line break at the end', `${good}\n`, 'format'),
    of('a line break within', `${head}.\n${payload}.${signature}`, 'format'),
    of('base64 instead of base64url', good.replace(/[-_]/, '+').replace(/$/, '/'), 'format'),
    of('a letter outside ASCII', `${head}.${payload}.${signature.slice(0, -1)}é`, 'format'),
    of('9,000 characters', `${head}.${'A'.repeat(9000)}.${signature}`, 'format'),
    of('loose last bits in the signature', good.slice(0, -1) + loose, 'loose bits'),
    of('a signature of an impossible length', `${good}AA`, 'loose bits'),
    of(
      'a signature cut short',
      `${head}.${payload}.${Buffer.from(signature, 'base64url').subarray(0, 31).toString('base64url')}`,
      'signature',
    ),
    of('a signature of somebody else', `${head}.${payload}.${Buffer.alloc(32, 1).toString('base64url')}`, 'signature'),
    of('a payload of somebody else', `${head}.${part(userClaims({ roles: ['admin'] }))}.${signature}`, 'signature'),
    of('alg none without a signature', `${forged('none')}.`, 'format'),
    of('alg none with a signature', `${forged('none')}.${signature}`, 'alg'),
    of('alg nOnE', `${forged('nOnE')}.${signature}`, 'alg'),
    of('another alg of the same family', `${forged('HS384')}.${signature}`, 'alg'),
    of('an alg of another family', `${forged('RS256')}.${signature}`, 'alg'),
    of('alg in lower case', `${forged('hs256')}.${hs256(forged('hs256'))}`, 'alg'),
    headed('alg that is no text', { alg: 256 }, 'header'),
    headed('an unknown kid', { kid: 'unknown' }, 'kid'),
    headed('a kid of __proto__', { kid: '__proto__' }, 'kid'),
    headed('an empty kid', { kid: '' }, 'header'),
    headed('a kid that is no text', { kid: ['a'] }, 'header'),
    headed('a kid of 300 characters', { kid: 'k'.repeat(300) }, 'header'),
    headed('no kid', { kid: undefined }, 'header'),
    headed('typ JWT', { typ: 'JWT' }, 'header'),
    headed('typ in upper case', { typ: 'AT+JWT' }, 'header'),
    headed('typ of a security event', { typ: 'secevent+jwt' }, 'header'),
    headed('no typ', { typ: undefined }, 'header'),
    headed('crit', { crit: ['exp'] }, 'header'),
    headed('b64 false', { b64: false, crit: ['b64'] }, 'header'),
    headed('jku', { jku: 'https://evil.example/jwks.json' }, 'header'),
    headed('x5u', { x5u: 'https://evil.example/cert' }, 'header'),
    headed('a key of its own', { jwk: { kty: 'oct', k: 'AAAA' } }, 'header'),
    headed('zip', { zip: 'DEF' }, 'header'),
    of('a header that is no object', issuer.token(userClaims(), [1, 2, 3]), 'header'),
    of('a header that is null', issuer.token(userClaims(), 'null'), 'header'),
    of('a header that is no JSON', issuer.token(userClaims(), '{'), 'header'),
    of('a header with a BOM', issuer.token(userClaims(), `\ufeff${JSON.stringify(header)}`), 'header'),
    of('a payload that is no JSON', issuer.token('{'), 'claims'),
    of('a payload that is a list', issuer.token([userClaims()]), 'claims'),
    of('a payload that is null', issuer.token('null'), 'claims'),
    of('a payload that is text', issuer.token('"text"'), 'claims'),
    of('a payload that is not UTF-8', issuer.token(Buffer.from('{"iss":"\xff"}', 'latin1')), 'claims'),
    of('a payload in UTF-16', issuer.token(Buffer.from(JSON.stringify(userClaims()), 'utf16le')), 'claims'),
    of('a payload with a BOM', issuer.token(`\ufeff${JSON.stringify(userClaims())}`), 'claims'),
    ...[
      'iss',
      'aud',
      'sub',
      'iat',
      'exp',
      'jti',
      'sid',
      'username',
      'roles',
      'permissions',
      'scope',
      'amr',
      'auth_time',
    ].map((name) => of(`no ${name}`, issuer.token(without(name)), `claim ${name}`)),
    claims('another issuer', { iss: 'https://evil.example' }, 'iss'),
    claims('the issuer with a slash', { iss: 'https://auth.example.com/' }, 'iss'),
    claims('another audience', { aud: 'billing' }, 'aud'),
    claims('a list of audiences', { aud: ['latchkey', 'billing'] }, 'claim aud'),
    claims('a sub that is no id', { sub: 'ada' }, 'claim sub'),
    claims('a sid that is no id', { sid: '' }, 'claim sid'),
    claims('an empty jti', { jti: '' }, 'claim jti'),
    claims('roles as text', { roles: 'admin' }, 'claim roles'),
    claims('roles that are numbers', { roles: [1] }, 'claim roles'),
    claims('permissions as an object', { permissions: { 0: 'a' } }, 'claim permissions'),
    claims('a device_id that is no text', { device_id: 1 }, 'claim device_id'),
    of('an infinite exp', issuer.token(json('1e400')(userClaims())), 'claim exp'),
    of('an exp beyond all integers', issuer.token(json('9007199254740993')(userClaims())), 'claim exp'),
    of('a fractional exp', issuer.token(json(`${NOW + 840}.5`)(userClaims())), 'claim exp'),
    claims('an exp that is text', { exp: String(NOW + 840) }, 'claim exp'),
    claims('an exp that is null', { exp: null }, 'claim exp'),
    claims('a negative exp', { exp: -1 }, 'claim exp'),
    claims('an exp before iat', { exp: NOW - 61 }, 'exp'),
    claims('a life of two days', { exp: NOW + 172_800 }, 'exp'),
    claims('an iat that is text', { iat: String(NOW) }, 'claim iat'),
    claims('an iat that lies ahead', { iat: NOW + 60, exp: NOW + 900 }, 'iat'),
    claims('an nbf that lies ahead', { nbf: NOW + 60 }, 'nbf'),
    claims('an nbf that is text', { nbf: 'now' }, 'claim nbf'),
    claims('an auth_time that is true', { auth_time: true }, 'claim auth_time'),
    of(
      'a user’s token without its session, passed off as a service’s',
      issuer.token({ ...without('sid'), client_id: ids.user }),
      'claim sid',
    ),
    {
      name: 'expired a second ago',
      token: issuer.token(userClaims({ exp: NOW })),
      result: 'token_expired',
      reason: 'exp',
    },
    {
      name: 'expired long ago',
      token: issuer.token(userClaims({ iat: NOW - 9000, exp: NOW - 8100 })),
      result: 'token_expired',
      reason: 'exp',
    },
  ];
}

// Verifications a CPU-second by @latchkey/verifier, its feed on, against fast-jwt: without caches, and with both on.
// And what the look at the revocations costs with 100,000 of them. HS256, one core, 512 different tokens, each a
// fresh string, as it would come off the wire; rounds in turns, medians of their ratios.
//
// node bench/verify.mjs [rounds]
import { createHmac, randomBytes, randomUUID } from 'node:crypto';

import { createVerifier as createFastJwt } from 'fast-jwt';

import { createVerifier } from '../packages/verifier/dist/index.js';
import { judge, median, printMachine, printTable, spread } from './support.mjs';

const ROUNDS = Number(process.argv[2] ?? 9);
const BATCH = 20_000;
const TOKENS = 512;
const secret = randomBytes(32);
const issuer = 'https://auth.example.com';
const audience = 'latchkey';
const now = Math.floor(Date.now() / 1000);

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function sign(claims) {
  const input = `${encode({ typ: 'at+jwt', alg: 'HS256', kid: 'one' })}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
const claims = () => ({
  iss: issuer,
  aud: audience,
  sub: randomUUID(),
  iat: now,
  exp: now + 900,
  jti: randomUUID(),
  sid: randomUUID(),
  username: 'ada',
  roles: ['user'],
  permissions: [],
  scope: '',
  amr: ['pwd'],
  auth_time: now,
});
const bytes = Array.from({ length: TOKENS }, () => Buffer.from(sign(claims())));

/** Revocations as the feed brings them: mostly sessions, some users and tokens. */
function source(count) {
  const expires_at = new Date((now + 900) * 1000).toISOString();
  return {
    start(sink) {
      for (let index = 0; index < count; index++) {
        const kind = index % 10 === 0 ? 'user' : index % 10 === 1 ? 'token' : 'session';
        sink.add({ kind, subject: randomUUID(), issued_before: kind === 'user' ? now + 1 : null, expires_at });
      }
      sink.synced();
      setInterval(() => sink.synced(), 1000).unref();
    },
    close() {},
  };
}
const ours = (entries, cache) => {
  const keys = [{ alg: 'HS256', secret, kid: 'one' }];
  return createVerifier({ issuer, audience, keys, cache, revocations: source(entries) });
};
const theirs = (cache) =>
  createFastJwt({ key: secret, algorithms: ['HS256'], allowedIss: issuer, allowedAud: audience, cache });

const verifiers = { none: ours(0), many: ours(100_000), cached: ours(1000, { max: TOKENS * 2 }) };
const arms = {
  'fast-jwt': theirs(false),
  latchkey: (token) => verifiers.none.verify(token),
  'latchkey, 100,000 revoked': (token) => verifiers.many.verify(token),
  'fast-jwt, cached': theirs(TOKENS * 2),
  'latchkey, cached': (token) => verifiers.cached.verify(token),
};

/** Operations a CPU-second of this process's main work. */
async function measure(verify) {
  const begun = process.cpuUsage();
  for (let done = 0; done < BATCH; done++) await verify(bytes[done % TOKENS].latin1Slice());
  const { user, system } = process.cpuUsage(begun);
  return BATCH / ((user + system) / 1e6);
}

printMachine();
const names = Object.keys(arms);
const results = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round <= ROUNDS; round++) {
  const order = round % 2 === 0 ? names : names.toReversed();
  for (const name of order) {
    const rate = await measure(arms[name]);
    if (round > 0) results[name].push(rate); // the first is warm-up
  }
}
const ratio = (name, floor) => results[name].map((rate, round) => rate / results[floor][round]);
printTable([['', 'verifications a CPU-second'], ...names.map((name) => [name, spread(results[name])])]);
const plain = median(ratio('latchkey, 100,000 revoked', 'fast-jwt'));
const cached = median(ratio('latchkey, cached', 'fast-jwt, cached'));
const cost = 1 - median(ratio('latchkey, 100,000 revoked', 'latchkey'));
judge([
  { what: `without a cache, 100,000 revoked: ${plain.toFixed(2)} of fast-jwt, at least 0.9`, met: plain >= 0.9 },
  { what: `with caches: ${cached.toFixed(2)} of fast-jwt, at least 1`, met: cached >= 1 },
  { what: `the look at 100,000 revocations costs ${(100 * cost).toFixed(1)} %, less than 5`, met: cost < 0.05 },
]);

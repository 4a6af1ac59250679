// Refreshes against every way to end a session, and against each other, at two replicas on one database, a
// thousand rounds each (F03 and F04): after an acknowledged end nothing goes on, at either replica; parallel
// refreshes with one token get one successor. Counts survivors; there may be none.
//
// node bench/races.mjs [rounds]
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Replicas } from './replicas.mjs';
import { judge, printMachine, printTable } from './support.mjs';

const ROUNDS = Number(process.argv[2] ?? 1000);
const PASSWORD = 'correct-horse-battery';
const LANES = 4;
/** Up to five milliseconds, so that either may come first. */
const jitter = () => sleep(randomInt(6));

printMachine();
const replicas = await Replicas.start(2);
const [one, two] = replicas.services;

/** A person with two sessions; both sign-ins at replica one. */
async function person() {
  const username = `u${randomBytes(8).toString('hex')}`;
  const registered = await one.post('/auth/register', {
    username,
    email: `${username}@example.com`,
    password: PASSWORD,
  });
  const signedIn = await one.post('/auth/login', { username, password: PASSWORD });
  for (const { status, body } of [registered, signedIn])
    if (status >= 300) throw new Error(`a sign-in was answered ${status}: ${body.code}`);
  return { id: registered.body.user.id, tokens: registered.body, other: signedIn.body };
}

const ends = {
  'sign-out': ({ tokens }) => one.post('/auth/logout', { refresh_token: tokens.refresh_token }),
  'sign-out everywhere': ({ tokens }) => one.post('/auth/logout-all', undefined, tokens.access_token),
  'end of the others': ({ other }) => one.post('/auth/sessions/revoke-others', undefined, other.access_token),
  'change of password': ({ other }) =>
    one.post(
      '/auth/change-password',
      { current_password: PASSWORD, new_password: `${PASSWORD}-too` },
      other.access_token,
    ),
};

/** One round: how many requests succeeded that began after the end was acknowledged. */
async function race(end) {
  const who = await person();
  const [refreshed, ended] = await Promise.all([
    jitter().then(() => two.post('/auth/refresh', { refresh_token: who.tokens.refresh_token })),
    jitter().then(() => end(who)),
  ]);
  if (ended.status !== 200) throw new Error(`the end was answered ${ended.status}: ${ended.body.code}`);
  const last = refreshed.status === 200 ? refreshed.body : who.tokens;
  const after = await Promise.all(
    [one, two].flatMap((service) => [
      service.get('/auth/me', last.access_token),
      service.post('/auth/refresh', { refresh_token: last.refresh_token }),
    ]),
  );
  return { won: refreshed.status === 200, survivors: after.filter(({ status }) => status === 200).length };
}

/** One round of F03: how many different successors twenty parallel refreshes got, beyond one; and refusals. */
async function converge() {
  const { tokens } = await person();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 ? one : two).post('/auth/refresh', { refresh_token: tokens.refresh_token }),
    ),
  );
  const successors = new Set(answers.map(({ body }) => body.refresh_token));
  return { survivors: successors.size - 1 + answers.filter(({ status }) => status !== 200).length };
}

async function rounds(count, work) {
  let next = 0;
  const results = [];
  const lane = async () => {
    while (next++ < count) results.push(await work());
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

const rows = [['race', 'rounds', 'refresh came first', 'survivors']];
let survivors = 0;
for (const [name, end] of Object.entries(ends)) {
  const results = await rounds(ROUNDS, () => race(end));
  const alive = results.reduce((sum, result) => sum + result.survivors, 0);
  survivors += alive;
  rows.push([name, String(results.length), String(results.filter(({ won }) => won).length), String(alive)]);
}
const converged = await rounds(ROUNDS, converge);
const forks = converged.reduce((sum, result) => sum + result.survivors, 0);
rows.push(['20 refreshes at once', String(converged.length), '', String(forks)]);
await replicas.stop();
printTable(rows);
judge([{ what: `survivors and forks: ${survivors + forks} = 0`, met: survivors + forks === 0 }]);

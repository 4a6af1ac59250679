// Measures the two Argon2 libraries against each other at the default cost, m=19456, t=2, p=1:
// hashes a second and CPU time a hash, with one and two in flight, in turns. First each verifies
// a hash of the other. docs/adr/0006 rests on it.
// Budget: `@node-rs/argon2` makes at least 1.3 times the hashes of `argon2` from the same CPU time.
//
// node bench/hash-libraries.mjs [rounds, default 10] [seconds a turn, default 2]
import nodeRs from '@node-rs/argon2';
import argon2 from 'argon2';

import { judge, median, printMachine, printTable, spread } from './support.mjs';

const [rounds = 10, seconds = 2] = process.argv.slice(2).map(Number);
const PASSWORD = 'correct horse battery staple';
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const MIN_RATIO = 1.3;

const libraries = [
  { name: 'argon2', hash: () => argon2.hash(PASSWORD, { ...COST, type: argon2.argon2id }), verify: argon2.verify },
  { name: '@node-rs/argon2', hash: () => nodeRs.hash(PASSWORD, { ...COST, algorithm: 2 }), verify: nodeRs.verify },
];

/** Keeps `inFlight` hashes going for `ms`. The CPU time is that of the whole process, its pool included. */
async function turn({ hash }, inFlight, ms) {
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  let hashes = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() - started < ms) {
        await hash();
        hashes++;
      }
    }),
  );
  const elapsedMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { rate: (hashes * 1000) / elapsedMs, cpuMs: (user + system) / 1000 / hashes };
}

for (const { name, hash } of libraries) {
  const made = await hash();
  for (const other of libraries) {
    const right = await other.verify(made, PASSWORD);
    const wrong = await other.verify(made, `${PASSWORD}.`);
    if (!right || wrong) throw new Error(`${other.name} does not verify what ${name} makes`);
  }
}

printMachine();
const arms = [1, 2].map((inFlight) => ({ inFlight, turns: libraries.map(() => []) }));
for (const { inFlight } of arms) for (const library of libraries) await turn(library, inFlight, 500);
for (let round = 0; round < rounds; round++) {
  for (const { inFlight, turns } of arms) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const at of order) turns[at].push(await turn(libraries[at], inFlight, seconds * 1000));
  }
}

printTable([
  ['library', 'in flight', 'hashes/s: median (range)', 'CPU ms a hash'],
  ...arms.flatMap(({ inFlight, turns }) =>
    libraries.map(({ name }, at) => [
      name,
      inFlight,
      spread(
        turns[at].map(({ rate }) => rate),
        1,
      ),
      spread(
        turns[at].map(({ cpuMs }) => cpuMs),
        2,
      ),
    ]),
  ),
]);
process.stdout.write('\n');

const budgets = arms.map(({ inFlight, turns: [theirs, ours] }) => {
  const byRate = ours.map(({ rate }, round) => rate / theirs[round].rate);
  const byCpu = ours.map(({ cpuMs }, round) => theirs[round].cpuMs / cpuMs);
  process.stdout.write(
    `${inFlight} in flight: @node-rs/argon2 is ${spread(byRate, 2)} times as fast, by CPU time ${spread(byCpu, 2)} times\n`,
  );
  return {
    what: `${inFlight} in flight: ${median(byCpu).toFixed(2)} times the hashes from the same CPU time, at least ${MIN_RATIO}`,
    met: median(byCpu) >= MIN_RATIO,
  };
});
judge(budgets);

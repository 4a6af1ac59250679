// Checks one password alone, as a sign-in does but with nothing around it, as many at once as cores that
// this process may use, for `seconds`; prints the rate. (Making a hash is some 5 % cheaper than checking one.)
import { availableParallelism } from 'node:os';

import { hash, verify } from '@node-rs/argon2';

const seconds = Number(process.argv[2]);
const stored = await hash('correct-horse-battery', { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
const begun = performance.now();
let done = 0;
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    while (performance.now() - begun < seconds * 1000) {
      await verify(stored, 'correct-horse-battery');
      done++;
    }
  }),
);
process.stdout.write(String(done / ((performance.now() - begun) / 1000)));

import { randomFillSync, randomInt } from 'node:crypto';

import { v7 } from 'uuid';

/** Asked of the system in one piece: for each id alone, that costs more than all the rest. */
const random = Buffer.alloc(16 * 256);
let used = random.length;

let lastMs = 0;
let sequence = 0;

/** A UUIDv7 of the instant `now`. Those of one process sort in the order they were made (RFC 9562, section 6.2). */
export function newId(now: Date): string {
  const msecs = now.getTime();
  sequence = msecs === lastMs ? sequence + 1 : randomInt(2 ** 30);
  lastMs = msecs;
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  used += 16;
  return v7({ msecs, seq: sequence, random: random.subarray(used - 16, used) });
}

/** No UUIDv7 of the instant `at` or later sorts before this, and none of an earlier one after it. */
export function oldestIdAt(at: Date): string {
  const hex = Math.max(0, at.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

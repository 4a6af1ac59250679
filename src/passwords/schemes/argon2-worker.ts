import os from 'node:os';
import { parentPort } from 'node:worker_threads';

import { hashRawSync, hashSync, type Options } from '@node-rs/argon2';

/** One hash to compute: a new one as a PHC string, or the bare digest of given parameters. */
export interface Argon2Task {
  readonly form: 'phc' | 'raw';
  readonly password: Uint8Array;
  readonly options: Options;
}

export type Argon2Result = { readonly value: string | Uint8Array } | { readonly fault: string };

/** Linux counts a thread's niceness for itself; elsewhere this would slow the whole process down. */
const NICENESS = 10;
if (process.platform === 'linux') os.setPriority(0, NICENESS);

parentPort!.on('message', ({ form, password, options }: Argon2Task) => {
  parentPort!.postMessage(compute(form, password, options));
});

function compute(form: Argon2Task['form'], password: Uint8Array, options: Options): Argon2Result {
  try {
    return { value: form === 'phc' ? hashSync(password, options) : hashRawSync(password, options) };
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

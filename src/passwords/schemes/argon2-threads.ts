import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';

import type { Options } from '@node-rs/argon2';

import { packageRoot } from '../../common/package-root.js';
import type { Argon2Result, Argon2Task } from './argon2-worker.js';

const WORKER = path.join(packageRoot, 'dist/passwords/schemes/argon2-worker.js');

/** A task that waits for a thread, or runs on one. */
interface Job {
  readonly task: Argon2Task;
  resolve(value: string | Uint8Array): void;
  reject(error: Error): void;
}

/**
 * Threads that compute Argon2 and nothing else, at most one a core, made when they are first
 * needed. They run at a lower priority than the thread that answers requests, so that a flood of sign-ins slows
 * sign-ins alone, and they leave libuv's own pool to files and name look-ups (docs/adr/0009).
 */
class Argon2Threads {
  private readonly max = os.availableParallelism();
  private readonly idle: Worker[] = [];
  private readonly running = new Map<Worker, Job | null>();
  private readonly queue: Job[] = [];

  /** A new hash as a PHC string, with a salt of its own. */
  async hash(password: Uint8Array, options: Options): Promise<string> {
    return (await this.run({ form: 'phc', password, options })) as string;
  }

  /** The digest of exactly these parameters. */
  async hashRaw(password: Uint8Array, options: Options): Promise<Uint8Array> {
    return (await this.run({ form: 'raw', password, options })) as Uint8Array;
  }

  private run(task: Argon2Task): Promise<string | Uint8Array> {
    return new Promise((resolve, reject) => {
      this.queue.push({ task, resolve, reject });
      this.assign();
    });
  }

  private assign(): void {
    const worker = this.idle.pop() ?? (this.running.size < this.max ? this.start() : null);
    const job = worker && this.queue.shift();
    if (!job) return;
    this.running.set(worker, job);
    worker.ref(); // an idle thread keeps no process alive, a working one does
    worker.postMessage(job.task);
  }

  private start(): Worker {
    const worker = new Worker(WORKER, { resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 } });
    worker.on('message', (result: Argon2Result) => {
      const job = this.running.get(worker)!;
      this.running.set(worker, null);
      worker.unref();
      this.idle.push(worker);
      if ('value' in result) job.resolve(result.value);
      else job.reject(new Error(result.fault));
      if (this.queue.length > 0) this.assign();
    });
    worker.on('error', (error) => this.lose(worker, error));
    worker.on('exit', () => this.lose(worker, new Error('a hashing thread ended')));
    return worker;
  }

  /** Its work has failed; the next one gets a new thread. */
  private lose(worker: Worker, error: Error): void {
    this.running.get(worker)?.reject(error);
    this.running.delete(worker);
    const index = this.idle.indexOf(worker);
    if (index >= 0) this.idle.splice(index, 1);
    if (this.queue.length > 0) this.assign();
  }
}

export const argon2Threads = new Argon2Threads();

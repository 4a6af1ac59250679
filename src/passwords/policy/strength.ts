import path from 'node:path';
import { Worker } from 'node:worker_threads';

import { packageRoot } from '../../common/package-root.js';
import type { StrengthAnswer, StrengthQuestion } from './strength-worker.js';

/** The worker loads its dictionaries with its first question; after that an answer takes milliseconds. */
const FIRST_PATIENCE_MS = 3000;
const PATIENCE_MS = 250;
const WAITING_MAX = 64;

/**
 * Estimates how hard a password is to guess (zxcvbn: Wheeler, USENIX Security 2016), in a thread of
 * its own, so that no input holds up the service. Without an answer in time there is none.
 */
export class StrengthEstimator {
  private worker: Worker | null = null;
  private isWarm = false;
  private lastId = 0;
  private readonly waiting = new Map<number, (answer: StrengthAnswer | null) => void>();

  constructor(private readonly onFault: (error: Error) => void = () => {}) {}

  /** Null where the estimate did not come in time: the other rules decide then. */
  estimate(password: string, words: string[]): Promise<StrengthAnswer | null> {
    if (this.waiting.size >= WAITING_MAX) return Promise.resolve(null);
    const worker = this.running();
    const id = ++this.lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(id, null), this.isWarm ? PATIENCE_MS : FIRST_PATIENCE_MS);
      this.waiting.set(id, (answer) => {
        clearTimeout(timer);
        if (!answer) this.onFault(new Error('no estimate of a password’s strength came in time'));
        resolve(answer);
      });
      worker.postMessage({ id, password, words } satisfies StrengthQuestion);
    });
  }

  async stop(): Promise<void> {
    const worker = this.worker;
    this.worker = null;
    await worker?.terminate();
  }

  private running(): Worker {
    if (this.worker) return this.worker;
    this.isWarm = false;
    const worker = new Worker(path.join(packageRoot, 'dist/passwords/policy/strength-worker.js'));
    worker.unref();
    worker.on('message', (answer: StrengthAnswer) => {
      this.isWarm = true;
      this.settle(answer.id, answer);
    });
    worker.on('error', this.onFault);
    worker.on('exit', () => {
      if (this.worker !== worker) return;
      this.worker = null; // the next question starts another one
      for (const id of this.waiting.keys()) this.settle(id, null);
    });
    return (this.worker = worker);
  }

  private settle(id: number, answer: StrengthAnswer | null): void {
    this.waiting.get(id)?.(answer);
    this.waiting.delete(id);
  }
}

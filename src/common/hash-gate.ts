import { availableParallelism } from 'node:os';

import { OVERLOADED } from './problem/catalogue.js';
import { Problem } from './problem/problem.js';

export interface HashGateOptions {
  /** How many run at once. More than cores only makes each slower. */
  permits?: number;
  /** How many may wait. */
  queue?: number;
  /** How long one may wait. */
  deadlineMs?: number;
}

/** A place at the gate, held until it is left. */
export interface HashPlace {
  /** Waits for a permit and runs `work` under it. @throws Problem `overloaded` past the deadline */
  run<T>(work: () => Promise<T>): Promise<T>;
  leave(): void;
}

/**
 * All password hashing passes here: as many at once as cores, a short queue with a deadline, then
 * 503. So a flood of sign-ins slows sign-ins alone, and refresh keeps its latency. A permit is
 * held until the native work ends, whether or not the client still waits.
 */
export class HashGate {
  private readonly permits: number;
  private readonly placesMax: number;
  private readonly deadlineMs: number;
  /** By then all who wait now are served, or were refused. */
  readonly retryAfterSeconds: number;
  private readonly waiting = new Set<() => void>();
  /** One for all: under a flood the making of errors, with their stacks, would be most of the work. */
  private readonly full: Problem;
  private running = 0;
  private places = 0;
  private refused = 0;

  constructor({ permits = availableParallelism(), queue = permits * 16, deadlineMs = 1500 }: HashGateOptions = {}) {
    this.permits = permits;
    this.placesMax = permits + queue;
    this.deadlineMs = deadlineMs;
    this.retryAfterSeconds = deadlineMs / 1000;
    this.full = new Problem(OVERLOADED, { retryAfterSeconds: this.retryAfterSeconds });
  }

  /** How busy it is: what runs and waits now, and how many were turned away since the start. */
  get load(): { running: number; waiting: number; refused: number } {
    return { running: this.running, waiting: this.waiting.size, refused: this.refused };
  }

  /** Whether whoever comes now is turned away. */
  get isFull(): boolean {
    return this.places >= this.placesMax;
  }

  /**
   * Takes a place before any other work is done for a request, so that a flood is turned away for
   * next to nothing. Whoever has one only ever fails by the deadline. @throws Problem `overloaded`
   */
  reserve(): HashPlace {
    if (this.isFull) throw this.refuse();
    this.places++;
    let left = false;
    return {
      run: (work) => this.withPermit(work),
      leave: () => {
        if (!left) this.places--;
        left = true;
      },
    };
  }

  /** Runs `work` under a permit. @throws Problem `overloaded` where the queue is full or too slow. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const place = this.reserve();
    try {
      return await place.run(work);
    } finally {
      place.leave();
    }
  }

  /** Counts one more who is turned away, and says what they are told. */
  refuse(): Problem {
    this.refused++;
    return this.full;
  }

  private async withPermit<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      this.exit();
    }
  }

  private enter(): Promise<void> {
    if (this.running < this.permits) {
      this.running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const admit = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(admit);
        reject(this.refuse());
      }, this.deadlineMs);
      this.waiting.add(admit);
    });
  }

  /** Hands the permit to whoever has waited longest, or gives it back. */
  private exit(): void {
    const [next] = this.waiting;
    if (next) {
      this.waiting.delete(next);
      next();
    } else {
      this.running--;
    }
  }
}

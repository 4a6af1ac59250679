import { HashGate } from './hash-gate.js';
import { Problem } from './problem/problem.js';

/** Work that ends when it is told to. */
function held() {
  let end!: () => void;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { work: () => ended, end };
}
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('HashGate', () => {
  it('runs as many at once as it has permits, and the rest in the order they came', async () => {
    const gate = new HashGate({ permits: 2, queue: 10, deadlineMs: 1000 });
    const jobs = Array.from({ length: 5 }, () => held());
    const begun: number[] = [];
    const all = jobs.map((job, index) =>
      gate.run(() => {
        begun.push(index);
        return job.work();
      }),
    );
    await tick();
    expect(begun).toEqual([0, 1]);
    jobs[1].end();
    await tick();
    expect(begun).toEqual([0, 1, 2]);
    jobs.forEach((job) => job.end());
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  it('refuses at once with 503 where the queue is full', async () => {
    const gate = new HashGate({ permits: 1, queue: 1, deadlineMs: 1000 });
    const job = held();
    const running = [gate.run(job.work), gate.run(job.work)];
    await expect(gate.run(job.work)).rejects.toMatchObject({
      type: { code: 'overloaded' },
      options: { retryAfterSeconds: 1 },
    });
    job.end();
    await Promise.all(running);
  });

  it('refuses whoever waited past the deadline, and never begins their work', async () => {
    const gate = new HashGate({ permits: 1, queue: 5, deadlineMs: 20 });
    const job = held();
    const running = gate.run(job.work);
    const late = jest.fn(() => Promise.resolve());
    await expect(gate.run(late)).rejects.toBeInstanceOf(Problem);
    job.end();
    await running;
    await tick();
    expect(late).not.toHaveBeenCalled();
  });

  it('gives the permit back where the work fails', async () => {
    const gate = new HashGate({ permits: 1, queue: 0, deadlineMs: 20 });
    await expect(gate.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(gate.run(() => Promise.resolve(1))).resolves.toBe(1);
  });
});

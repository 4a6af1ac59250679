import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

/** The built service as a process of its own, as an operator runs it. */
export class ServiceProcess {
  private output = '';
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  private constructor(
    readonly child: ChildProcess,
    private readonly ready: Promise<string>,
  ) {
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  }

  /** Starts `latchkey <args>`; nothing of this process's environment reaches it. */
  static start(env: NodeJS.ProcessEnv, { cwd = process.cwd(), args = ['serve'] } = {}): ServiceProcess {
    const child = spawn(process.execPath, [path.resolve('dist/cli.js'), ...args], {
      cwd,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let announce: (url: string) => void;
    const service = new ServiceProcess(child, new Promise((resolve) => (announce = resolve)));
    const read = (chunk: Buffer) => {
      service.output += chunk.toString();
      const port = /"port":(\d+),"message":"listening"/.exec(service.output)?.[1];
      if (port) announce(`http://127.0.0.1:${port}`);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    return service;
  }

  /** The service's address, once it listens. @throws with its output where it ends before. */
  async url(): Promise<string> {
    return Promise.race([
      this.ready,
      this.exited.then(() => {
        throw new Error(`the service ended: ${this.output}`);
      }),
    ]);
  }

  /** Everything that it wrote. */
  get text(): string {
    return this.output;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM') {
    this.child.kill(signal);
    return this.exited;
  }
}

/** Polls until `condition` holds. @throws after `seconds`. */
export async function eventually(condition: () => Promise<boolean>, seconds = 15): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition().catch(() => false))) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

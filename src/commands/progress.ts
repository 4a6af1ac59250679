import { Presets, SingleBar } from 'cli-progress';

/** Where standard error is no terminal, a line so often. */
const SILENT_FOR_MS = 10_000;

/** Shows on standard error how far a long command is: a bar on a terminal, else a line now and then. */
export class Progress {
  private bar: SingleBar | null = null;
  private task = '';

  /** @param done and `total` count the same, such as bytes. Another task is another bar. */
  show(task: string, done: number, total: number): void {
    if (this.task !== task) {
      this.end();
      this.task = task;
      this.bar = new SingleBar(
        {
          stream: process.stderr,
          format: `${task.padEnd(9)} {bar} {percentage} %, {eta_formatted} to go`,
          noTTYOutput: true,
          notTTYSchedule: SILENT_FOR_MS,
        },
        Presets.shades_grey,
      );
      this.bar.start(total, 0);
    }
    this.bar?.update(done);
  }

  /** Writes a line that stays, above the bar. */
  say(line: string): void {
    const isShown = this.bar !== null && process.stderr.isTTY;
    process.stderr.write(isShown ? `\r\x1b[2K${line}\n` : `${line}\n`);
  }

  /** Call it at the end, whatever the end is: the bar's timer would keep the process. */
  end(): void {
    this.bar?.stop();
    this.bar = null;
    this.task = '';
  }
}

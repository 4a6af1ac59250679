import { Injectable, type LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

/** The service's log: one JSON line an event. A token, so that Nest injects pino by its type. */
export abstract class Logger {
  abstract debug(fields: object, message: string): void;
  abstract info(fields: object, message: string): void;
  abstract warn(fields: object, message: string): void;
  abstract error(fields: object, message: string): void;
}

/**
 * Makes the logger. No line holds a credential: requests are logged by method, path and status
 * alone (http/request-log.ts), and an error by its name, message and stack, without the statement,
 * parameters or connection that a database driver hangs onto it.
 */
export function createLogger(level: string, destination?: DestinationStream): PinoLogger {
  return pino(
    {
      level,
      base: undefined,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      timestamp,
      serializers: { err: describeError },
    },
    destination ?? joined(pino.destination({ fd: 1, sync: false })),
  );
}

/** How long a line waits for others, in milliseconds, and how many characters wait. */
const JOIN_MS = 20;
const JOIN_CHARACTERS = 16_384;

/**
 * Writes the lines of a moment together: one write a line would wake another thread for each request, a twentieth of what
 * an introspection costs. However the process ends, but for SIGKILL, what waits is written.
 */
function joined(stdout: ReturnType<typeof pino.destination>): DestinationStream {
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    stdout.write(waiting);
    waiting = '';
  };
  process.on('exit', () => {
    flush();
    stdout.flushSync();
  });
  return {
    write(line) {
      waiting += line;
      if (waiting.length > JOIN_CHARACTERS) flush();
      else timer ??= setTimeout(flush, JOIN_MS);
    },
  };
}

let second = 0;
let upToSecond = '';

/** RFC 3339, UTC. What is the same for a second is written once a second: each line has one. */
function timestamp(): string {
  const now = Date.now();
  const milliseconds = now % 1000;
  if (now - milliseconds !== second) {
    second = now - milliseconds;
    upToSecond = new Date(second).toISOString().slice(0, -'000Z'.length);
  }
  return `,"time":"${upToSecond}${String(milliseconds).padStart(3, '0')}Z"`;
}

function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === 'string' && { code }),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}

/** Nest's own words: its warnings and errors go to the same log, its start-up chatter nowhere. */
@Injectable()
export class NestLog implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(): void {}

  warn(message: unknown, context?: string): void {
    this.logger.warn({ context }, String(message));
  }

  error(message: unknown, stack?: string, context?: string): void {
    this.logger.error({ context, stack }, String(message));
  }
}

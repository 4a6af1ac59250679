import { StringDecoder } from 'node:string_decoder';

/** One event of a stream. `id` is the last that was given, by this event or one before it. */
export interface StreamEvent {
  type: string;
  data: string;
  id: string;
}

/** An event longer than this is no event of ours. In characters. */
const MAX_EVENT_LENGTH = 65_536;

/**
 * Reads `text/event-stream` as the HTML standard tells it (section 9.2.6), in whatever pieces it
 * arrives: a piece may end within a character or between CR and LF.
 */
export class EventStreamReader {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';
  private atStart = true;
  private type = '';
  private data: string[] = [];
  private dataLength = 0;
  private id = '';

  constructor(private readonly onEvent: (event: StreamEvent) => void) {}

  /** @throws Error where an event is too long */
  write(chunk: Uint8Array): void {
    let text = this.rest + this.decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (this.atStart && text !== '') {
      this.atStart = false;
      if (text.startsWith('\ufeff')) text = text.slice(1);
    }
    let start = 0;
    for (;;) {
      const end = lineEnd(text, start);
      // A CR at the very end may be the first half of CRLF.
      if (end === -1 || (text[end] === '\r' && end === text.length - 1)) break;
      this.line(text.slice(start, end));
      start = end + (text[end] === '\r' && text[end + 1] === '\n' ? 2 : 1);
    }
    this.rest = text.slice(start);
    if (this.rest.length + this.dataLength > MAX_EVENT_LENGTH) throw new Error('an event is too long');
  }

  private line(line: string): void {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.type = value;
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    else if (field === 'data') {
      this.data.push(value);
      this.dataLength += value.length + 1;
    }
  }

  private dispatch(): void {
    const event = { type: this.type || 'message', data: this.data.join('\n'), id: this.id };
    const empty = this.data.length === 0;
    this.type = '';
    this.data = [];
    this.dataLength = 0;
    if (!empty) this.onEvent(event);
  }
}

function lineEnd(text: string, from: number): number {
  const lf = text.indexOf('\n', from);
  const cr = text.indexOf('\r', from);
  return lf === -1 || cr === -1 ? Math.max(lf, cr) : Math.min(lf, cr);
}

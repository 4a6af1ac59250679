import http from 'node:http';

import type { RevocationEntry } from '../../src/revocations/revocation.js';
import { eventually } from './service-process.js';

export interface FeedEvent {
  id: string;
  event: string;
  data: Record<string, unknown>;
}

/** A subscriber of the revocation feed, by plain HTTP: reads events as they come. */
export class FeedReader {
  readonly events: FeedEvent[] = [];
  ended = false;
  private text = '';

  private constructor(
    readonly response: http.IncomingMessage,
    private readonly request: http.ClientRequest,
  ) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.read(chunk));
    response.once('close', () => (this.ended = true));
    response.on('error', () => {});
  }

  /** Subscribes; `lastEventId` goes on where another one stopped. */
  static open(url: string, authorization: string, lastEventId?: string): Promise<FeedReader> {
    return new Promise((resolve, reject) => {
      const headers = { authorization, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
      const request = http.get(`${url}/revocations/stream`, { headers, agent: false }, (response) =>
        resolve(new FeedReader(response, request)),
      );
      request.once('error', reject);
    });
  }

  get entries(): RevocationEntry[] {
    return this.events
      .filter(({ event }) => event === 'revocation')
      .map(({ data }) => data as unknown as RevocationEntry);
  }

  /** Waits for an entry about `subject`. */
  async heard(subject: string): Promise<RevocationEntry> {
    await eventually(() => Promise.resolve(this.entries.some((entry) => entry.subject === subject)));
    return this.entries.find((entry) => entry.subject === subject)!;
  }

  /** Waits until the feed says that nothing is missing. */
  synced(): Promise<void> {
    return eventually(() => Promise.resolve(this.events.some(({ event }) => event === 'sync')));
  }

  close(): void {
    this.request.destroy();
  }

  private read(chunk: string): void {
    this.text += chunk;
    for (let end = this.text.indexOf('\n\n'); end >= 0; end = this.text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        this.text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      this.text = this.text.slice(end + 2);
      if (fields.event) this.events.push({ id: fields.id, event: fields.event, data: JSON.parse(fields.data) });
    }
  }
}

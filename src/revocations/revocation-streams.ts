import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Response } from 'express';

import { OVERLOADED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { SecurityEventTokens } from './security-event-tokens.js';
import type { RevocationEntry } from './revocation.js';
import { RevocationFeed } from './revocation-feed.js';

/** A subscriber hears at least this often that it is up to date. */
const SYNC_MS = 5000;
/** One that stays this far behind is cut; it comes back and goes on where it was. What waits is shared by all who wait. */
const MAX_BEHIND_BYTES = 1024 * 1024;
const PATIENCE_MS = 2000;
const MAX_SUBSCRIBERS = 2000;
const RETRY_MS = 1000;

interface Subscriber {
  readonly clientId: string;
  readonly response: Response;
  /** How much may wait to be read: the backlog that it asked for is its own. */
  readonly maxBehindBytes: number;
  /** Since when more than that waits, by the process's own clock. */
  behindSince: number | null;
}

/** Serves the feed as Server-Sent Events (WHATWG HTML, section 9.2). Each event is written out once for all subscribers. */
@Injectable()
export class RevocationStreams implements OnModuleInit, OnModuleDestroy {
  private readonly subscribers = new Set<Subscriber>();
  private saidAt = 0;

  constructor(
    private readonly feed: RevocationFeed,
    private readonly eventTokens: SecurityEventTokens,
  ) {}

  onModuleInit(): void {
    this.feed.on('entries', (entries, cursor) => {
      this.broadcast(this.text(entries, cursor));
      this.cutDisabled(entries);
    });
    this.feed.on('sync', (cursor, asOf) => {
      if (performance.now() - this.saidAt < SYNC_MS) return;
      this.saidAt = performance.now();
      this.broadcast(sync(cursor, asOf));
    });
    this.feed.on('reset', () => this.broadcast('event: reset\ndata: {}\n\n'));
  }

  /** The first step of a shutdown: subscribers go on at another replica. */
  onModuleDestroy(): void {
    for (const { response } of this.subscribers) response.end();
  }

  get count(): number {
    return this.subscribers.size;
  }

  /**
   * Subscribes a client that has seen all up to `cursor`; 0: nothing yet. The response stays open
   * until one of the two goes. @throws Problem `overloaded`
   */
  subscribe(clientId: string, cursor: number, response: Response): void {
    if (this.subscribers.size >= MAX_SUBSCRIBERS) throw new Problem(OVERLOADED, { retryAfterSeconds: 5 });
    response.status(200);
    response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
    response.setHeader('X-Accel-Buffering', 'no'); // nginx holds answers back otherwise
    response.socket?.setKeepAlive(true, 15_000);
    response.socket?.setNoDelay(true);
    response.flushHeaders();
    response.write(`retry: ${RETRY_MS}\n\n`);
    // What came before it asked; in the same turn as it is added, so that nothing falls between.
    const backlog = Buffer.from(this.text(this.feed.since(cursor), this.feed.cursor));
    response.write(backlog);
    if (this.feed.asOf) response.write(sync(this.feed.cursor, this.feed.asOf));
    const maxBehindBytes = MAX_BEHIND_BYTES + backlog.length;
    const subscriber: Subscriber = { clientId, response, maxBehindBytes, behindSince: null };
    this.subscribers.add(subscriber);
    response.once('close', () => this.subscribers.delete(subscriber));
    response.on('error', () => {}); // a broken socket: told by `close` as well
  }

  private broadcast(text: string): void {
    const bytes = Buffer.from(text);
    const now = performance.now();
    for (const subscriber of this.subscribers) {
      const { response, maxBehindBytes } = subscriber;
      if (response.writableLength <= maxBehindBytes) subscriber.behindSince = null;
      else subscriber.behindSince ??= now;
      if (subscriber.behindSince !== null && now - subscriber.behindSince > PATIENCE_MS) response.destroy();
      else response.write(bytes);
    }
  }

  private cutDisabled(entries: readonly RevocationEntry[]): void {
    const isEnd = ({ kind, issued_before }: RevocationEntry) => kind === 'client' && issued_before === null;
    const disabled = new Set(entries.filter(isEnd).map(({ subject }) => subject));
    for (const { clientId, response } of this.subscribers) if (disabled.has(clientId)) response.end();
  }

  private text(entries: readonly RevocationEntry[], cursor: number): string {
    return entries
      .map(
        (entry) => `id: ${cursor}\nevent: revocation\ndata: ${JSON.stringify(this.eventTokens.accompany(entry))}\n\n`,
      )
      .join('');
  }
}

const sync = (cursor: number, asOf: Date): string =>
  `id: ${cursor}\nevent: sync\ndata: ${JSON.stringify({ as_of: asOf.toISOString() })}\n\n`;

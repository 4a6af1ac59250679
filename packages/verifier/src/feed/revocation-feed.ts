import { randomInt } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

import type { RevocationEntry } from '../revocation-set.js';
import type { RevocationSink, RevocationSource, SourceStats } from '../revocation-source.js';
import { type Fetch, fetchJson } from '../fetch-json.js';
import { basicCredentials } from './basic-credentials.js';
import { EventStreamReader, type StreamEvent } from './event-stream.js';

export interface FeedSettings {
  /** Where Latchkey is; a path is kept. */
  url: string;
  clientId: string;
  clientSecret: string;
  /** For a proxy or a certificate authority of one's own. */
  agent?: http.Agent;
}

export interface FeedTiming {
  /** A connection on which nothing arrives for so long is given up. */
  silenceMs: number;
  minBackoffMs?: number;
  maxBackoffMs?: number;
  /** After 401 and 403, which only a person mends. */
  refusedBackoffMs?: number;
}

const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5000;
const REFUSED_BACKOFF_MS = 30_000;
/** What may stand in a header field (RFC 9110, section 5.5); an id that may not cannot be resumed from. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]{1,1024}$/;

/**
 * The feed of Latchkey, `GET /revocations/stream`, kept open for ever: resumed after every cut, and
 * given up and opened anew where it falls silent. On node:http rather than fetch, because its
 * socket can be kept from holding the process.
 */
export class RevocationFeed implements RevocationSource {
  private readonly base: string;
  private readonly authorization: string;
  private readonly timing: Required<FeedTiming>;
  private sink: RevocationSink | null = null;
  private request: http.ClientRequest | null = null;
  private timer: NodeJS.Timeout | null = null;
  private connected = false;
  private connections = 0;
  private failures = 0;
  private lastError: string | null = 'not started';
  /** Null until a backlog was read to its end: one that was cut is read from its beginning. */
  private resumeId: string | null = null;
  private wholeBacklog = false;

  constructor(
    private readonly settings: FeedSettings,
    timing: FeedTiming,
    private readonly fetch: Fetch = globalThis.fetch,
  ) {
    this.base = settings.url.replace(/\/+$/, '');
    this.authorization = basicCredentials(settings.clientId, settings.clientSecret);
    this.timing = {
      minBackoffMs: MIN_BACKOFF_MS,
      maxBackoffMs: MAX_BACKOFF_MS,
      refusedBackoffMs: REFUSED_BACKOFF_MS,
      ...timing,
    };
  }

  start(sink: RevocationSink): void {
    this.sink = sink;
    this.connect();
  }

  close(): void {
    this.sink = null;
    this.lastError = 'closed';
    this.connected = false;
    if (this.timer) clearTimeout(this.timer);
    this.request?.destroy();
  }

  stats(): SourceStats {
    return {
      connected: this.connected,
      reconnects: Math.max(0, this.connections - 1),
      lastError: this.connected ? null : this.lastError,
    };
  }

  async introspect(token: string): Promise<boolean> {
    const answer = await fetchJson(this.fetch, `${this.base}/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: this.authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token }).toString(),
    });
    const { active } = (answer ?? {}) as { active?: unknown };
    if (typeof active !== 'boolean') throw new Error('no introspection response'); // RFC 7662, section 2.2
    return active;
  }

  private connect(): void {
    const url = new URL(`${this.base}/revocations/stream`);
    const request = (url.protocol === 'https:' ? https : http).get(url, {
      agent: this.settings.agent ?? false,
      headers: {
        accept: 'text/event-stream',
        'cache-control': 'no-cache',
        authorization: this.authorization,
        ...(this.resumeId !== null && { 'last-event-id': this.resumeId }),
      },
    });
    this.request = request;

    let over = false;
    const end = (why: string, refused = false) => {
      if (over) return;
      over = true;
      clearTimeout(watchdog);
      request.destroy();
      this.disconnected(why, refused);
    };
    const watchdog = setTimeout(() => end('silent'), this.timing.silenceMs).unref();
    request.on('socket', (socket) => socket.unref());
    request.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'network error'));
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      if (status === 401 || status === 403) return end(`HTTP ${status}`, true);
      if (status !== 200) return end(`HTTP ${status}`);
      if (!/^text\/event-stream\b/i.test(response.headers['content-type'] ?? '')) return end('no event stream');
      this.connected = true;
      this.connections += 1;
      const reader = new EventStreamReader((event) => this.take(event));
      response.on('data', (chunk: Buffer) => {
        watchdog.refresh();
        try {
          reader.write(chunk);
        } catch {
          end('oversized event');
        }
      });
      response.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'network error'));
      response.on('close', () => end('cut'));
    });
  }

  private take({ type, data, id }: StreamEvent): void {
    if (!this.sink) return;
    if (type === 'revocation') this.sink.add(parseJson(data) as RevocationEntry);
    else if (type === 'reset') {
      this.wholeBacklog = false;
      this.resumeId = null;
      this.sink.reset();
    } else if (type === 'sync') {
      this.wholeBacklog = true;
      this.failures = 0;
      this.sink.synced();
    }
    if (this.wholeBacklog) this.resumeId = fieldValue(id);
  }

  /** The wait doubles with each failure, and is spread so that the subscribers of a replica do not return as one. */
  private disconnected(why: string, refused: boolean): void {
    this.connected = false;
    if (!this.sink) return;
    this.lastError = why;
    const { minBackoffMs, maxBackoffMs, refusedBackoffMs } = this.timing;
    const longest = refused ? refusedBackoffMs : Math.min(maxBackoffMs, minBackoffMs * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 16);
    this.timer = setTimeout(() => this.connect(), randomInt(Math.ceil(longest / 2), longest + 1)).unref();
  }
}

/** The id as its UTF-8 bytes, which is how Node writes a header of Latin-1; null where it cannot be sent. */
function fieldValue(id: string): string | null {
  const bytes = Buffer.from(id).toString('latin1');
  return FIELD_VALUE.test(bytes) ? bytes : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

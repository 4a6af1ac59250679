import pg from 'pg';

const RECONNECT_MS = 1000;

/**
 * Hears what `pg_notify` says on a channel, on a connection of its own that comes back by itself.
 * What is said while it is away is lost: whoever listens looks for themselves as well.
 */
export class Listener {
  private client: pg.Client | null = null;
  private retry: NodeJS.Timeout | undefined;
  private opened = false;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly channel: string,
    /** Called for each word, and once the connection is there. */
    private readonly onWord: () => void,
  ) {}

  /** Whether it was opened; it then cares for its connection itself. */
  get isOpen(): boolean {
    return this.opened;
  }

  /** Begins to listen; resolves also where the server is away. */
  async open(): Promise<void> {
    if (this.closed) return;
    this.opened = true;
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'latchkey-listen',
      keepAlive: true,
      connectionTimeoutMillis: 5000,
    });
    this.client = client;
    client.on('error', () => {}); // told by `end` as well
    client.once('end', () => this.reopen(client));
    client.on('notification', this.onWord);
    try {
      await client.connect();
      await client.query(`listen ${pg.escapeIdentifier(this.channel)}`);
      this.onWord();
    } catch {
      await client.end().catch(() => {});
      this.reopen(client);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    await this.client?.end().catch(() => {});
  }

  private reopen(client: pg.Client): void {
    if (this.closed || this.client !== client) return;
    this.client = null;
    this.retry = setTimeout(() => void this.open(), RECONNECT_MS).unref();
  }
}

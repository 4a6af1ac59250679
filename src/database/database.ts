import { setTimeout as sleep } from 'node:timers/promises';

import type pg from 'pg';
import { DataSource, type DataSourceOptions, type EntityManager, type EntityTarget } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

import { Listener } from './listener.js';
import { type Addresses, migrate, NewerSchemaError } from './migrations.js';
import { PostgresNaming } from './naming-strategy.js';

/** A statement that PostgreSQL parses and plans once for each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export interface DatabaseOptions extends Addresses {
  poolSize: number;
  /** TypeORM's classes, for the cold paths. */
  entities: EntityTarget<unknown>[];
  /** Tells of a lost idle connection or a failed attempt to connect; never of a statement. */
  onFault?: (error: Error) => void;
}

/** Waiting longer than this for a connection, a lock or a statement is a 503, not a hang. */
const CONNECT_TIMEOUT_MS = 5000;
const STATEMENT_TIMEOUT_MS = 5000;
const LOCK_TIMEOUT_MS = 4000;
const RETRIES = 2;
/** A deadlock or a serialisation failure: nothing was written, so the work may run again. */
const RETRYABLE = new Set(['40001', '40P01']);

/** The database is away or not ready yet. Answered as 503. */
export class DatabaseUnavailable extends Error {}

/** The one way to PostgreSQL: TypeORM's data source, its pool for hot statements, transactions. */
export class Database {
  readonly dataSource: DataSource;
  private ready = false;
  private closing = false;
  private readonly preparations: ((manager: EntityManager) => Promise<void>)[] = [];

  constructor(private readonly options: DatabaseOptions) {
    this.dataSource = new DataSource({
      type: 'postgres',
      url: options.url,
      applicationName: 'latchkey',
      entities: options.entities as DataSourceOptions['entities'],
      namingStrategy: new PostgresNaming(),
      installExtensions: false,
      poolSize: options.poolSize,
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      poolErrorHandler: (error: Error) => this.options.onFault?.(error),
      extra: {
        idleTimeoutMillis: 30_000,
        keepAlive: true,
        options: `-c timezone=UTC -c lock_timeout=${LOCK_TIMEOUT_MS} -c default_transaction_isolation=read\\ committed`,
        statement_timeout: STATEMENT_TIMEOUT_MS,
        idle_in_transaction_session_timeout: 30_000,
      },
    });
  }

  /** True once the schema is this build's and the pool has connected. */
  get isReady(): boolean {
    return this.ready;
  }

  /** Migrates and connects; returns the names of what was applied. @throws where the server is away, and as `migrate` does. */
  async connect(): Promise<string[]> {
    const applied = await migrate(this.options);
    if (!this.dataSource.isInitialized) await this.dataSource.initialize();
    for (const prepare of this.preparations) await prepare(this.dataSource.manager);
    this.ready = true;
    return applied;
  }

  /** What has to be read before anybody is served: done once the schema is there, and before {@link isReady}. */
  beforeReady(prepare: (manager: EntityManager) => Promise<void>): void {
    this.preparations.push(prepare);
  }

  /** Connects as soon as the server is there. @throws NewerSchemaError, which waiting cannot mend. */
  async connectWhenThere(intervalMs = 1000): Promise<void> {
    while (!this.closing) {
      try {
        await this.connect();
        return;
      } catch (error) {
        if (error instanceof NewerSchemaError) throw error;
        this.options.onFault?.(error as Error);
        await sleep(intervalMs, undefined, { ref: false });
      }
    }
  }

  async close(): Promise<void> {
    this.closing = true;
    this.ready = false;
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  /** Runs a named prepared statement on any connection of the pool. Returns its rows. */
  async run<Row extends pg.QueryResultRow>(statement: Statement, values: unknown[]): Promise<Row[]> {
    const { rows } = await this.pool.query<Row>({ name: statement.name, text: statement.text, values });
    return rows;
  }

  /**
   * One transaction, READ COMMITTED. What `work` returns is returned after COMMIT; what it throws
   * rolls back. Runs again, twice at most, after a deadlock.
   */
  async transaction<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    if (!this.ready) throw new DatabaseUnavailable();
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.dataSource.transaction(work);
      } catch (error) {
        if (attempt >= RETRIES || !RETRYABLE.has((error as { code?: string }).code ?? '')) throw error;
      }
    }
  }

  /**
   * Runs `work` on one connection that is its own meanwhile: for what lives there, such as advisory locks and temporary tables,
   * which `work` takes away again.
   */
  async onOneConnection<T>(work: (connection: EntityManager) => Promise<T>): Promise<T> {
    if (!this.ready) throw new DatabaseUnavailable();
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.connect();
      return await work(runner.manager);
    } finally {
      await runner.release();
    }
  }

  /** Hears what is notified on `channel`, once it is opened. */
  listener(channel: string, onWord: () => void): Listener {
    return new Listener(this.options.url, channel, onWord);
  }

  /** For reads on cold paths, each on any connection. */
  get manager(): EntityManager {
    if (!this.ready) throw new DatabaseUnavailable();
    return this.dataSource.manager;
  }

  private get pool(): pg.Pool {
    if (!this.ready) throw new DatabaseUnavailable();
    return (this.dataSource.driver as PostgresDriver).master as pg.Pool;
  }
}

/** The column of a unique index that refused a row, by PostgreSQL's own constraint names; else null. */
export function uniqueViolation(error: unknown): string | null {
  const { code, constraint } = error as { code?: string; constraint?: string };
  return code === '23505' ? (constraint ?? '') : null;
}

/** SQLSTATEs that say "the database cannot serve now", not "the statement was wrong"; besides class 08. */
const AWAY_STATES = new Set([
  '25006', // read-only: a standby that was not promoted yet
  '25P03', // idle in transaction for too long
  '40001',
  '40P01',
  '53100', // disk full
  '53200',
  '53300', // too many connections
  '53400',
  '55P03', // lock time-out
  '57014', // statement time-out
  '57P01', // shutting down, and its kin
  '57P02',
  '57P03',
]);
const AWAY_MESSAGES =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|not queryable|Cannot use a pool after/i;

/** Whether an error means that the database is away, full or too busy: 503, and a retry may help. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  const { code, message, syscall } = error as { code?: string; message?: string; syscall?: string };
  const isSocketFault = syscall !== undefined && ['connect', 'read', 'write', 'getaddrinfo'].includes(syscall);
  return (
    isSocketFault ||
    (code !== undefined && (AWAY_STATES.has(code) || code.startsWith('08'))) ||
    AWAY_MESSAGES.test(message ?? '')
  );
}

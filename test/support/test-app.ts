import { randomBytes } from 'node:crypto';

import type { NestExpressApplication } from '@nestjs/platform-express';
import pg from 'pg';

import { createApp } from '../../src/app.js';
import { OPERATOR } from '../../src/admin/authority.js';
import { type CreateClientRequest, createClientRequest } from '../../src/admin/clients.schemas.js';
import { AdminClientsService } from '../../src/admin/clients.service.js';
import { Clock } from '../../src/common/clock.js';
import { createLogger } from '../../src/common/logging.js';
import { type Config, loadConfig } from '../../src/config/config.js';
import type { Database } from '../../src/database/database.js';
import { openDatabase } from '../../src/open-database.js';
import type { RevocationReason, RevocationTarget } from '../../src/revocations/revocation.js';
import { Revoker } from '../../src/revocations/revoker.js';
import { AuthenticatorApp } from './authenticator-app.js';
import { ApiClient } from './api-client.js';
import { Browser } from './browser.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export const PASSWORD = 'correct-horse-battery';
export const JWT_SECRET = 'kZ0vJ4rT8yN2mQ6wX1cB5hL9pS3dF7gA';

export interface Person {
  id: string;
  username: string;
  email: string;
  password: string;
}

export interface GivenTotp {
  person: Person;
  browser: Browser;
  accessToken: string;
  app: AuthenticatorApp;
  recoveryCodes: string[];
}

export interface GivenClient {
  clientId: string;
  clientSecret: string;
  authorization: string;
}

/** The real service on its own database, listening on a real port. Limits are off unless asked for. */
export class TestApp {
  private aheadMs = 0;

  private constructor(
    readonly app: NestExpressApplication,
    readonly config: Config,
    readonly database: Database,
    /** By the service's role, which can do what the service does and no more. */
    readonly databaseUrl: string,
    /** By the role that owns the database. */
    readonly ownerUrl: string,
    readonly url: string,
    private readonly logLines: string[],
    private readonly dropDatabase: () => Promise<void>,
  ) {}

  static async start(env: NodeJS.ProcessEnv = {}): Promise<TestApp> {
    const database = await createTestDatabase();
    return TestApp.on(database, { MASTER_SECRET: randomBytes(32).toString('hex'), ...env });
  }

  /** Another replica of this one: the same database and secrets. Stop it before this one. */
  async replica(env: NodeJS.ProcessEnv = {}): Promise<TestApp> {
    const { masterSecret, tokens } = this.config;
    const same = { MASTER_SECRET: masterSecret, JWT_ISSUER: tokens.issuer };
    const replica = await TestApp.on(
      { url: this.databaseUrl, ownerUrl: this.ownerUrl, drop: () => Promise.resolve() },
      { ...same, ...env },
    );
    replica.advance(this.aheadMs / 1000);
    return replica;
  }

  private static async on(
    { url: databaseUrl, ownerUrl, drop }: TestDatabase,
    env: NodeJS.ProcessEnv,
  ): Promise<TestApp> {
    const config = loadConfig({
      env: {
        NODE_ENV: 'test',
        DATABASE_URL: databaseUrl,
        JWT_SECRET,
        THROTTLE_LOGIN: 'off',
        THROTTLE_REFRESH: 'off',
        THROTTLE_DEFAULT: 'off',
        THROTTLE_CLIENT: 'off',
        ...env,
      },
      secretsDir: '/nonexistent',
    });
    const logLines: string[] = [];
    const logger = createLogger('trace', { write: (line: string) => void logLines.push(line) });
    const database = openDatabase(config, config.database.server!, logger);
    await database.connect();
    const app = await createApp(config, database, logger);
    await app.listen(env.PORT ?? 0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as { port: number };
    return new TestApp(app, config, database, databaseUrl, ownerUrl, `http://127.0.0.1:${port}`, logLines, drop);
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.database.close();
    await this.dropDatabase();
  }

  /** Everything that the service logged, as text. */
  get log(): string {
    return this.logLines.join('');
  }

  /** Moves the service's clock on, for all that follows. */
  advance(seconds: number): void {
    this.aheadMs += seconds * 1000;
    this.app.get(Clock).now = () => new Date(Date.now() + this.aheadMs);
  }

  /** The service's time. */
  get now(): Date {
    return this.app.get(Clock).now();
  }

  /** A browser that nobody used yet. */
  browser(userAgent?: string): Browser {
    return new Browser(this.url, userAgent);
  }

  /** A client without cookies. */
  client(userAgent?: string): ApiClient {
    return new ApiClient(this.url, userAgent);
  }

  /** A registered person. Each call makes another one. */
  async givenPerson(overrides: Partial<Person> = {}): Promise<Person> {
    const name = `u${randomBytes(6).toString('hex')}`;
    const person = { username: name, email: `${name}@example.com`, password: PASSWORD, ...overrides };
    const { status, body } = await this.client().register(person);
    if (status !== 201) throw new Error(`registration failed: ${JSON.stringify(body)}`);
    return { ...person, id: (body as { user: { id: string } }).user.id };
  }

  /** A person signed in with a browser of their own. */
  async givenSignedIn(userAgent?: string): Promise<{ person: Person; browser: Browser; accessToken: string }> {
    const person = await this.givenPerson();
    const browser = this.browser(userAgent);
    const { body } = await browser.login(person).expect(200);
    return { person, browser, accessToken: (body as { access_token: string }).access_token };
  }

  /**
   * A person with an authenticator app, signed in where they set it up. Its first code is spent; the clock goes on, so that
   * the next one is good.
   */
  async givenTotp(): Promise<GivenTotp> {
    const { person, browser, accessToken } = await this.givenSignedIn();
    const { app, recoveryCodes } = await this.addTotp(browser, accessToken);
    return { person, browser, accessToken, app, recoveryCodes };
  }

  /** Sets an authenticator app up for whoever is signed in. */
  async addTotp(browser: Browser, accessToken: string): Promise<Pick<GivenTotp, 'app' | 'recoveryCodes'>> {
    const post = (path: string) => browser.send('post', path).set('Authorization', `Bearer ${accessToken}`);
    const setUp = await post('/auth/2fa/totp').expect(200);
    const app = new AuthenticatorApp((setUp.body as { secret: string }).secret, () => this.now);
    const confirmed = await post('/auth/2fa/totp/confirm').send({ code: app.code() }).expect(200);
    this.advance(30);
    return { app, recoveryCodes: (confirmed.body as { recovery_codes: string[] }).recovery_codes };
  }

  /** An administrator without cookies, signed in: sends requests as they do. */
  async givenAdmin() {
    const person = await this.givenPerson();
    await this.rows(`update users set roles = '{user,admin}' where id = $1`, [person.id]);
    const { body } = await this.client().login(person).expect(200);
    const { access_token, refresh_token } = body as { access_token: string; refresh_token: string };
    const send = (method: 'get' | 'post' | 'patch' | 'delete') => (path: string) =>
      this.client().send(method, path).set('Authorization', `Bearer ${access_token}`);
    return {
      person,
      accessToken: access_token,
      refreshToken: refresh_token,
      get: send('get'),
      post: send('post'),
      patch: send('patch'),
      delete: send('delete'),
    };
  }

  /** A service with credentials of its own: its id, secret (empty for one with keys) and Authorization header. */
  async givenClient(grants: Partial<CreateClientRequest> = {}): Promise<GivenClient> {
    const source = { ip: '127.0.0.1', userAgent: null, requestId: 'test' };
    const request = createClientRequest.parse({ name: `c${randomBytes(6).toString('hex')}`, ...grants });
    const { client, secret } = await this.app
      .get(AdminClientsService, { strict: false })
      .create(request, OPERATOR, source);
    const clientSecret = secret ?? '';
    const authorization = `Basic ${Buffer.from(`${client.id}:${clientSecret}`).toString('base64')}`;
    return { clientId: client.id, clientSecret, authorization };
  }

  /** Revokes as the service itself does, in a transaction of its own. */
  revoke(target: RevocationTarget, reason: RevocationReason = 'logout'): Promise<number> {
    const source = { ip: '127.0.0.1', userAgent: null, requestId: 'test' };
    const revoker = this.app.get(Revoker, { strict: false });
    return this.database.transaction((tx) => revoker.revoke(tx, target, { reason, actorId: null }, source));
  }

  /** Rows of a query on the service's database, outside the service. */
  async rows<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.ownerUrl });
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** The types of a person's audit events, oldest first. */
  async auditTypes(userId: string): Promise<string[]> {
    const rows = await this.rows<{ type: string }>('select type from audit_events where user_id = $1 order by id', [
      userId,
    ]);
    return rows.map(({ type }) => type);
  }

  /**
   * Holds the rows of `lockSql`, starts the requests, waits until `waiting` of them queue at the
   * rows, does `meanwhile`, then lets go: so that they meet there without luck.
   */
  async whileLocked<T>(
    lockSql: string,
    values: unknown[],
    waiting: number,
    requests: () => Promise<T>[],
    meanwhile?: () => Promise<unknown>,
  ): Promise<T[]> {
    const holder = new pg.Client({ connectionString: this.ownerUrl });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query(lockSql, values);
      const pending = requests();
      const answers = Promise.all(pending);
      answers.catch(() => {}); // awaited below
      const deadline = Date.now() + 4000;
      for (;;) {
        await holder.query('select pg_stat_clear_snapshot()');
        const { rows } = await holder.query<{ count: number }>(
          `select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        if (rows[0].count >= waiting) break;
        if (Date.now() > deadline) throw new Error(`only ${rows[0].count} of ${waiting} requests wait at the lock`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await meanwhile?.();
      await holder.query('commit');
      return await answers;
    } finally {
      await holder.end();
    }
  }
}

import type { INestApplicationContext } from '@nestjs/common';

import { createLogger, NestLog } from './common/logging.js';
import type { RequestSource } from './common/request-source.js';
import type { Config } from './config/config.js';
import type { Database } from './database/database.js';
import { findEmbeddedPostgres, startEmbeddedPostgres } from './database/embedded-postgres.js';
import type { UserImporter } from './import/user-importer.js';
import { openDatabase } from './open-database.js';

/** What audit rows say of commands: there is no request. */
export const COMMAND_LINE: RequestSource = { ip: '127.0.0.1', userAgent: 'latchkey', requestId: 'command-line' };

const logger = createLogger('silent');

/** Migrates the configured database, the embedded one too, and leaves. Returns what was applied. */
export const migrateOnce = (config: Config): Promise<string[]> =>
  withDatabase(config, (_database, applied) => Promise.resolve(applied));

/** Runs `work` with the service's own classes on the configured database; nothing listens. */
export const withService = <T>(config: Config, work: (app: INestApplicationContext) => Promise<T>): Promise<T> =>
  withDatabase(config, async (database) => {
    const [{ NestFactory }, { AppModule }] = await Promise.all([import('@nestjs/core'), import('./app.module.js')]);
    const module = AppModule.of(config, database, logger);
    const app = await NestFactory.createApplicationContext(module, {
      logger: new NestLog(logger),
      abortOnError: false,
    });
    try {
      return await work(app);
    } finally {
      await app.close();
    }
  });

/** Runs `work` with what imports accounts. The whole service besides would take more memory than the accounts do. */
export const withImporter = <T>(config: Config, work: (importer: UserImporter) => Promise<T>): Promise<T> =>
  withDatabase(config, async (database) => {
    const { createImporter } = await import('./importer.js');
    return work(createImporter(config, database, logger));
  });

/** On the embedded database too, whether or not a service runs on it at the moment. */
async function withDatabase<T>(
  config: Config,
  work: (database: Database, applied: string[]) => Promise<T>,
): Promise<T> {
  const { server, dataDir } = config.database;
  const embedded = server === null ? (findEmbeddedPostgres(dataDir) ?? (await startEmbeddedPostgres(dataDir))) : null;
  const database = openDatabase(config, server ?? embedded!, logger);
  try {
    return await work(database, await database.connect());
  } finally {
    await database.close();
    await embedded?.stop();
  }
}

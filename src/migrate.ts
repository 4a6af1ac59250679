import { openDatabase } from './app.js';
import { createLogger } from './common/logging.js';
import type { Config } from './config/config.js';
import { startEmbeddedPostgres } from './database/embedded-postgres.js';

/** Migrates the configured database, the embedded one too, and leaves. Returns what was applied. */
export async function migrateOnce(config: Config): Promise<string[]> {
  const embedded = config.database.url === null ? await startEmbeddedPostgres(config.database.dataDir) : null;
  const database = openDatabase(config, config.database.url ?? embedded!.url, createLogger('silent'));
  try {
    return await database.connect();
  } finally {
    await database.close();
    await embedded?.stop();
  }
}

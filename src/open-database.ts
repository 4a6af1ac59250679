import type { Logger } from 'pino';

import type { Config } from './config/config.js';
import { Database } from './database/database.js';
import type { Addresses } from './database/migrations.js';
import { entities } from './entities.js';

/** The database of `config`, not connected yet. */
export function openDatabase(config: Config, addresses: Addresses, logger: Logger): Database {
  return new Database({
    ...addresses,
    poolSize: config.database.poolSize,
    entities,
    onFault: (error) => logger.warn({ err: error }, 'the database connection failed'),
  });
}

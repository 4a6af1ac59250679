import type { Server } from 'node:http';

import { createLogger } from './common/logging.js';
import { FIRST_START } from './common/request-source.js';
import type { Config } from './config/config.js';
import { startEmbeddedPostgres } from './database/embedded-postgres.js';
import { welcome } from './welcome.js';

const DRAIN_DEADLINE_MS = 9000;

/** Boots the service: database, app, listen; then drains on SIGTERM or SIGINT. Resolves once it listens. */
export async function serve(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel);
  for (const notice of config.notices) logger.warn({}, notice);
  // Loading the code takes as long as starting PostgreSQL: both at once.
  const [
    { createApp },
    { openDatabase },
    { FirstAdministrator },
    { KeysService },
    { KeyRingKeeper },
    { Readiness },
    embedded,
  ] = await Promise.all([
    import('./app.js'),
    import('./open-database.js'),
    import('./admin/first-administrator.js'),
    import('./keys/keys.service.js'),
    import('./tokens/key-ring-keeper.js'),
    import('./health/readiness.js'),
    config.database.server === null ? startEmbeddedPostgres(config.database.dataDir) : null,
  ]);
  const database = openDatabase(config, config.database.server ?? embedded!, logger);
  const app = await createApp(config, database, logger);
  const prepare = async () => {
    app.get(KeyRingKeeper, { strict: false }).assertReadable();
    await app.get(KeysService, { strict: false }).ensureSigningKey(FIRST_START);
    await app.get(FirstAdministrator, { strict: false }).ensure();
  };

  const server = app.getHttpServer();
  onSignal(async () => {
    app.get(Readiness).drain();
    server.closeIdleConnections();
    await app.close();
    await database.close();
    await embedded?.stop();
  });
  try {
    if (embedded) {
      await database.connect();
      await prepare();
    }
    await listen(server, config);
  } catch (error) {
    await database.close();
    await embedded?.stop();
    throw error;
  }
  const port = (server.address() as { port: number }).port;
  logger.info({ host: config.http.host, port }, 'listening');
  if (!config.production) process.stdout.write(welcome(port, embedded?.folder ?? null));
  // A server of its own may be away yet: the service listens, is not ready, and connects when it can.
  if (embedded) return;
  await database.connectWhenThere();
  await prepare();
}

function listen(server: Server, { http }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new PortTakenError(http.port) : error),
    );
    server.listen(http.port, http.host, resolve);
  });
}

export class PortTakenError extends Error {
  constructor(port: number) {
    super(`port ${port} is taken by another program: stop it, or set PORT to a free one (PORT=${port + 1} npm start)`);
  }
}

/** Runs `shutDown` once, on the first signal; a second one, or a hang, ends the process at once. */
function onSignal(shutDown: () => Promise<void>): void {
  let begun = false;
  const handle = () => {
    if (begun) process.exit(1);
    begun = true;
    setTimeout(() => process.exit(1), DRAIN_DEADLINE_MS).unref();
    shutDown().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}

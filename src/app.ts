import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import cookieParser from 'cookie-parser';
import type { NextFunction, Request, Response } from 'express';
import type { Logger as PinoLogger } from 'pino';

import { AppModule } from './app.module.js';
import { HashGate } from './common/hash-gate.js';
import { bodyReader } from './common/http/body.js';
import { chain } from './common/http/chain.js';
import { PresetExpressAdapter } from './common/http/preset-express-adapter.js';
import { requestLog } from './common/http/request-log.js';
import { securityHeaders } from './common/http/security-headers.js';
import { shedLoad } from './common/http/shed-load.js';
import { NestLog } from './common/logging.js';
import { ProblemFilter } from './common/problem/problem.filter.js';
import type { Config } from './config/config.js';
import type { Database } from './database/database.js';
import { OAuthErrorFilter } from './oauth/oauth-error.filter.js';
import { DOCS_PATH, serveDocs } from './docs.js';

/** Whose requests hash a password. */
const HASHING_PATHS = ['/auth/register', '/auth/login', '/auth/change-password'];

/** Where errors have OAuth's own shape. */
const OAUTH_PATHS = ['/oauth/token', '/oauth/introspect', '/oauth/revoke'];

/** The only routes that take `application/x-www-form-urlencoded`. */
const FORM_PATHS = ['/auth/register', '/auth/login', ...OAUTH_PATHS];

/** Puts the service together, ready to listen. The same for serving, for tests and for OpenAPI. */
export async function createApp(
  config: Config,
  database: Database,
  logger: PinoLogger,
  { preview = false } = {},
): Promise<NestExpressApplication> {
  const adapter = new PresetExpressAdapter();
  const app = await NestFactory.create<NestExpressApplication>(AppModule.of(config, database, logger), adapter, {
    bodyParser: false,
    logger: new NestLog(logger),
    abortOnError: false,
    preview,
  });
  if (preview) return app;
  adapter.shedLoad = shedLoad(app.get(HashGate), HASHING_PATHS, { publicUrl: config.http.publicUrl, logger });
  app.set('trust proxy', config.http.trustProxy);
  app.set('query parser', 'simple');
  app.use(chain(requestLog(logger), securityHeaders(DOCS_PATH)));
  if (config.http.corsOrigins.length > 0) {
    app.enableCors({
      origin: config.http.corsOrigins.includes('*') ? true : [...config.http.corsOrigins],
      credentials: true,
      allowedHeaders: ['Authorization', 'Content-Type', 'X-Auth-Transport', 'X-CSRF-Token', 'X-Request-Id'],
      exposedHeaders: ['Retry-After', 'X-Request-Id', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'],
      maxAge: 600,
    });
  }
  app.use(chain(cookieParser(), bodyReader(FORM_PATHS)));
  // What these threw has no route yet, whose filter would answer it.
  const [problems, oauthErrors] = [app.get(ProblemFilter), app.get(OAuthErrorFilter)];
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const filter = request.method === 'POST' && OAUTH_PATHS.includes(request.path) ? oauthErrors : problems;
    filter.answer(error, request, response);
  });
  adapter.addLastRoutes = () => serveDocs(app);
  await app.init();
  return app;
}

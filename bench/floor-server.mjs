// The floor that bench/refresh.mjs compares with: POST /auth/refresh by bare node:http and nothing
// else. Same configuration, pool, statement, token formats, signature and Set-Cookie as the service,
// by the service's own classes; no framework, no middleware, no log, no rate limit, no schema.
import { randomUUID } from 'node:crypto';

import { DerivedKeys } from '../dist/common/crypto/derived-keys.js';
import { CsrfTokens } from '../dist/common/csrf-tokens.js';
import { createLogger } from '../dist/common/logging.js';
import { SecondFactorPolicy } from '../dist/common/second-factors.js';
import { loadConfig } from '../dist/config/config.js';
import { Database } from '../dist/database/database.js';
import { RefreshTokens, saltHash } from '../dist/sessions/refresh-token.js';
import { SessionsRepository } from '../dist/sessions/sessions.repository.js';
import { AccessTokenIssuer } from '../dist/tokens/access-token-issuer.js';
import { JwsSigner } from '../dist/tokens/jws-signer.js';
import { ConfiguredKeys } from '../dist/tokens/configured-keys.js';
import { KeyRing } from '../dist/tokens/key-ring.js';
import { compose } from '../dist/tokens/ring-composition.js';
import { answerJson, refuse, serveFloor } from './floor.mjs';

const config = loadConfig({ env: process.env });
const database = new Database({ ...config.database.server, poolSize: config.database.poolSize, entities: [] });
await database.connect();
const sessions = new SessionsRepository(database);
const keys = new DerivedKeys(config.masterSecret);
const refreshTokens = new RefreshTokens(keys);
const csrfTokens = new CsrfTokens(keys);
const ring = new KeyRing();
ring.put(compose(await ConfiguredKeys.load(config.tokens), [], new Date()));
const signer = new JwsSigner(ring);
const issuer = new AccessTokenIssuer(
  signer,
  new SecondFactorPolicy(config.mfa.required),
  createLogger('silent'),
  config,
);
const attributes = 'Path=/auth;';
const flags = `HttpOnly;${config.cookies.secure ? ' Secure;' : ''} SameSite=Lax`;

async function refresh(request, response) {
  const cookies = cookiesOf(request.headers.cookie);
  const token = refreshTokens.open(cookies.refresh_token);
  if (!token) return refuse(response, 401);
  const csrf = cookies['XSRF-TOKEN'];
  if (csrf !== request.headers['x-csrf-token'] || !csrfTokens.verify(csrf, token.sessionId))
    return refuse(response, 403);
  if (request.headers.origin !== config.http.publicUrl) return refuse(response, 403);
  const now = new Date();
  const session = await sessions.rotate({
    sessionId: token.sessionId,
    deviceId: null,
    counter: token.counter,
    saltHash: saltHash(token.salt),
    now,
    idleExpiresAt: new Date(now.getTime() + config.sessions.idleSeconds * 1000),
    ip: request.socket.remoteAddress,
    userAgent: request.headers['user-agent'] ?? null,
    requestId: randomUUID(),
    auditId: randomUUID(),
  });
  if (!session) return refuse(response, 401);
  const maxAge = session.refresh_expires_at - Math.floor(now.getTime() / 1000);
  const expires = new Date(now.getTime() + maxAge * 1000).toUTCString();
  const next = refreshTokens.mint({ ...token, counter: session.counter });
  answerJson(
    response,
    { access_token: issuer.issue(session), token_type: 'bearer', expires_in: issuer.lifetimeSeconds },
    { 'Set-Cookie': `refresh_token=${next}; Max-Age=${maxAge}; ${attributes} Expires=${expires}; ${flags}` },
  );
}

function cookiesOf(header = '') {
  const cookies = {};
  for (const pair of header.split('; ')) {
    const equals = pair.indexOf('=');
    cookies[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return cookies;
}

serveFloor(config.http, database, { '/auth/refresh': refresh });

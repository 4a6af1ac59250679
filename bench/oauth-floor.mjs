// The floor that bench/oauth.mjs compares with: POST /oauth/token and /oauth/introspect by bare node:http and nothing else.
// Same configuration, pool, statements, token format and signature as the service, by the service's own classes; no
// framework, no middleware, no log, no limit, no schema.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { parse } from 'node:querystring';

import { AuditRepository } from '../dist/audit/audit.repository.js';
import { secretHash } from '../dist/clients/client-authenticator.js';
import { ClientsRepository } from '../dist/clients/clients.repository.js';
import { loadConfig } from '../dist/config/config.js';
import { Database } from '../dist/database/database.js';
import { ClientTokenIssuer } from '../dist/tokens/client-token-issuer.js';
import { ConfiguredKeys } from '../dist/tokens/configured-keys.js';
import { JwsSigner } from '../dist/tokens/jws-signer.js';
import { KeyRing } from '../dist/tokens/key-ring.js';
import { RingChecker } from '../dist/tokens/ring-checker.js';
import { compose } from '../dist/tokens/ring-composition.js';

const config = loadConfig({ env: process.env });
const database = new Database({ ...config.database.server, poolSize: config.database.poolSize, entities: [] });
await database.connect();
const clients = new ClientsRepository(database);
const audit = new AuditRepository(database);
const ring = new KeyRing();
ring.put(compose(await ConfiguredKeys.load(config.tokens), [], new Date()));
const issuer = new ClientTokenIssuer(new JwsSigner(ring), config);
const { issuer: iss, accessTokenSeconds: maxAgeSeconds } = config.tokens;
const checker = new RingChecker(ring, { issuer: iss, audiences: 'any', maxAgeSeconds });

async function authenticate(request, now) {
  const [id, secret] = Buffer.from(request.headers.authorization.slice('Basic '.length), 'base64')
    .toString()
    .split(':');
  return clients.authenticate(id, secretHash(secret), now);
}

async function token(client, now, request) {
  const subject = { clientId: client.id, scopes: client.scopes, audience: client.audiences[0] };
  const made = issuer.issue({ ...subject, issuedAt: Math.floor(now.getTime() / 1000) });
  const scope = client.scopes.join(' ');
  await audit.insert(null, {
    id: randomUUID(),
    occurredAt: now,
    type: 'client.token_issued',
    outcome: 'success',
    clientId: client.id,
    ip: request.socket.remoteAddress,
    requestId: randomUUID(),
    details: { jti: made.jti, scope, audience: subject.audience, method: 'client_secret_basic' },
  });
  return { access_token: made.token, token_type: 'Bearer', expires_in: issuer.lifetimeSeconds, scope };
}

async function introspect(client, now, body) {
  const { claims } = checker.check(parse(body).token, now);
  if (claims.client_id !== client.id) return { active: false };
  const { client_id, jti, iat } = claims;
  return (await clients.counts(client_id, jti, iat))
    ? { active: true, token_type: 'Bearer', ...claims }
    : { active: false };
}

async function answer(request, response, body) {
  const now = new Date();
  const client = await authenticate(request, now);
  if (!client) return refuse(response, 401);
  const result =
    request.url === '/oauth/token' ? await token(client, now, request) : await introspect(client, now, body);
  const text = JSON.stringify(result);
  response.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  });
  response.end(text);
}

const refuse = (response, status) => response.writeHead(status, { 'Content-Length': 0 }).end();

const server = http.createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
  if (request.url === '/health/ready') return response.writeHead(200, { 'Content-Length': 0 }).end();
  if (request.method !== 'POST' || !request.url.startsWith('/oauth/')) return refuse(response, 404);
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () =>
    answer(request, response, body).catch((error) => {
      process.stderr.write(`floor: ${error.stack}\n`);
      refuse(response, 500);
    }),
  );
});
server.listen(config.http.port, config.http.host);
process.on('SIGTERM', () => {
  server.close(() => void database.close().then(() => process.exit(0)));
  server.closeAllConnections();
});

// The floor that bench/oauth.mjs compares with: POST /oauth/token and /oauth/introspect by bare node:http and nothing else.
// Same configuration, pool, statements, token format and signature as the service, by the service's own classes; no
// framework, no middleware, no log, no limit, no schema.
import { randomUUID } from 'node:crypto';
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
import { answerJson, refuse, serveFloor, textOf } from './floor.mjs';

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

async function answer(request, response) {
  const body = await textOf(request);
  const now = new Date();
  const client = await authenticate(request, now);
  if (!client) return refuse(response, 401);
  answerJson(
    response,
    request.url === '/oauth/token' ? await token(client, now, request) : await introspect(client, now, body),
  );
}

serveFloor(config.http, database, { '/oauth/token': answer, '/oauth/introspect': answer });

// The floor that bench/passwords.mjs holds sign-ins against: POST /auth/login by bare node:http, on the hash library's own
// asynchronous call. The two statements, tokens and signature are the service's own; no framework, no thread of its own, no
// queue, no schema, no log, no limit. What it reaches of the bare rate of hashes is what any service could.
import { randomUUID } from 'node:crypto';

import { verify } from '@node-rs/argon2';

import { SignInAttempts } from '../dist/auth/sign-in-attempts.repository.js';
import { Clock } from '../dist/common/clock.js';
import { DerivedKeys } from '../dist/common/crypto/derived-keys.js';
import { createLogger } from '../dist/common/logging.js';
import { SecondFactorPolicy } from '../dist/common/second-factors.js';
import { loadConfig } from '../dist/config/config.js';
import { Database } from '../dist/database/database.js';
import { Lockout } from '../dist/protection/lockout.js';
import { RefreshTokens } from '../dist/sessions/refresh-token.js';
import { SessionsRepository } from '../dist/sessions/sessions.repository.js';
import { SessionsService } from '../dist/sessions/sessions.service.js';
import { AccessTokenIssuer } from '../dist/tokens/access-token-issuer.js';
import { ConfiguredKeys } from '../dist/tokens/configured-keys.js';
import { JwsSigner } from '../dist/tokens/jws-signer.js';
import { KeyRing } from '../dist/tokens/key-ring.js';
import { compose } from '../dist/tokens/ring-composition.js';
import { answerJson, refuse, serveFloor, textOf } from './floor.mjs';

const config = loadConfig({ env: process.env });
const database = new Database({ ...config.database.server, poolSize: config.database.poolSize, entities: [] });
await database.connect();
const clock = new Clock();
const keys = new DerivedKeys(config.masterSecret);
const attempts = new SignInAttempts(database, new Lockout(null, clock, keys, config));
const refreshTokens = new RefreshTokens(keys);
const sessions = new SessionsService(
  new SessionsRepository(database),
  null,
  refreshTokens,
  null,
  database,
  clock,
  config,
);
const ring = new KeyRing();
ring.put(compose(await ConfiguredKeys.load(config.tokens), [], new Date()));
const policy = new SecondFactorPolicy(config.mfa.required);
const issuer = new AccessTokenIssuer(new JwsSigner(ring), policy, createLogger('silent'), config);

async function signIn(request, response) {
  const { username, password } = JSON.parse(await textOf(request));
  const ip = request.socket.remoteAddress;
  const { account, counted } = await attempts.count(username, null, ip);
  if (!account || !counted.allowed || !(await verify(account.password_hash, password))) return refuse(response, 401);
  const { refreshToken, session } = await sessions.begin(
    null,
    {
      account,
      amr: ['pwd'],
      device: { deviceKey: null, deviceId: null },
      event: 'login.succeeded',
      forgive: [counted.place_key, counted.streak_key, counted.shared_key],
    },
    { ip, userAgent: request.headers['user-agent'] ?? null, requestId: randomUUID() },
  );
  answerJson(response, {
    access_token: issuer.issue(session),
    refresh_token: refreshToken,
    token_type: 'bearer',
    expires_in: issuer.lifetimeSeconds,
  });
}

serveFloor(config.http, database, { '/auth/login': signIn });

import { isIP } from 'node:net';

import type { Config } from '../config/config.js';
import type { DatabaseFacts } from '../database/inspection.js';
import type { KeyStatus } from '../keys/key-status.js';
import { ofKeys, ofSealed, type Sealed } from './doctor-keys.js';
import { type Finding, ok, warning, wrong } from './finding.js';

/** What only a look at other servers tells. Errors are what they answered. */
export interface Surroundings {
  readonly database: DatabaseFacts | Error;
  readonly redis: 'none' | 'there' | Error;
  /** Why the settings make no keys; else all that there are. */
  readonly keys: readonly KeyStatus[] | Error;
  /** Null where the database does not say. */
  readonly sealed: Sealed | null;
  readonly breachFile: 'none' | 'there' | Error;
  readonly hashMs: number;
}

const CLOCK_TOLERANCE_MS = 2000;
const OLDEST_POSTGRES = 15;
const SLOW_HASH_MS = 500;
const LAX_LOCKOUT = 20;

/** What is wrong with a configuration and its surroundings, and what to do. Shows no secret. */
export function diagnose(
  config: Config,
  { database, redis, keys, sealed, breachFile, hashMs }: Surroundings,
): Finding[] {
  return [
    ...ofDatabase(config, database),
    ofProxy(config),
    ofCookies(config),
    ofKeys(config, keys),
    ...ofSealed(sealed),
    ofLimits(config),
    ofRedis(redis),
    ofHashing(config, hashMs),
    ofBreachFile(breachFile),
    ofMetrics(config),
    ofPasskeys(config),
  ];
}

function ofDatabase(config: Config, facts: DatabaseFacts | Error): Finding[] {
  if (facts instanceof Error) {
    const advice = 'Check DATABASE_URL (or DB_HOST and its kin), that the server runs, and that it lets this host in.';
    return [wrong('database', `it does not answer: ${facts.message}`, advice)];
  }
  const { serverVersion, clockAheadMs, pending, unknown, isReadOnly, connections, administrators } = facts;
  const findings: Finding[] = [];
  if (serverVersion < OLDEST_POSTGRES)
    findings.push(wrong('database', `PostgreSQL ${serverVersion}`, `Use PostgreSQL ${OLDEST_POSTGRES} or newer.`));
  else if (isReadOnly)
    findings.push(
      wrong('database', 'it is read-only: a standby?', 'Point DATABASE_URL at the server that takes writes.'),
    );
  else findings.push(ok('database', `PostgreSQL ${serverVersion}`));

  if (unknown.length > 0)
    findings.push(wrong('schema', `made by a newer build (${unknown[0]})`, 'Run that build, or a newer one.'));
  else if (pending.length > 0)
    findings.push(
      warning('schema', `${pending.length} migrations are to come`, 'latchkey migrate, or a start, applies them.'),
    );
  else findings.push(ok('schema', 'current'));

  findings.push(
    Math.abs(clockAheadMs) <= CLOCK_TOLERANCE_MS
      ? ok('clock', `${clockAheadMs} ms from the database’s`)
      : wrong(
          'clock',
          `${clockAheadMs} ms from the database’s`,
          'Run a time service on both: codes and tokens live by the clock.',
        ),
  );
  findings.push(ofRights(facts));
  const free = connections.max - connections.used;
  findings.push(
    free >= config.database.poolSize
      ? ok('connections', `${connections.used} of ${connections.max} used`)
      : warning(
          'connections',
          `${connections.used} of ${connections.max} used`,
          'Raise max_connections, or lower DB_POOL_SIZE.',
        ),
  );
  if (facts.unauditedPartitions && facts.unauditedPartitions.length > 0)
    findings.push(
      wrong(
        'audit',
        `rows of ${facts.unauditedPartitions.join(', ')} can be changed`,
        'Enable the trigger audit_events_append_only there again.',
      ),
    );
  if (administrators === 0)
    findings.push(
      warning(
        'administrators',
        'there is none',
        'latchkey users create <name> <e-mail> --role user admin, or set ADMIN_*.',
      ),
    );
  else if (administrators !== null) findings.push(ok('administrators', String(administrators)));
  return findings;
}

function ofRights({ excessRights }: DatabaseFacts): Finding {
  if (excessRights === null)
    return warning(
      'database rights',
      'the service’s role is refused',
      'latchkey migrate makes it, and gives it its rights.',
    );
  if (excessRights.length === 0) return ok('database rights', 'what the service needs');
  return warning(
    'database rights',
    `the service’s role may ${excessRights.join(', ')}`,
    'Give the service a role of its own in DATABASE_URL, and the owner’s to latchkey migrate in DATABASE_MIGRATION_URL.',
  );
}

function ofProxy({ http }: Config): Finding {
  const { protocol, hostname } = new URL(http.publicUrl);
  const trusts = http.trustProxy !== 0;
  const isLocal = hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) > 0;
  if (protocol === 'https:' && !trusts)
    return warning(
      'proxy',
      'PUBLIC_URL is https, and no proxy is trusted',
      'This service speaks http, so a proxy is in front: set TRUST_PROXY, or all clients share one address and its limits.',
    );
  if (typeof http.trustProxy === 'number' && http.trustProxy > 3)
    return warning(
      'proxy',
      `${http.trustProxy} hops are trusted`,
      'With more hops than there are, clients choose their address.',
    );
  if (protocol === 'http:' && !isLocal)
    return warning('proxy', 'PUBLIC_URL is http', 'Passwords and tokens cross the network in the clear: use https.');
  return ok('proxy', trusts ? `trusts ${[http.trustProxy].flat().join(', ')}` : 'trusts none');
}

function ofCookies({ http, cookies }: Config): Finding {
  const { hostname, protocol } = new URL(http.publicUrl);
  const domain = cookies.domain?.replace(/^\./, '');
  if (domain !== undefined && hostname !== domain && !hostname.endsWith(`.${domain}`))
    return wrong(
      'cookies',
      `COOKIE_DOMAIN ${domain} is not that of PUBLIC_URL`,
      'Browsers will drop every cookie: take it out, or mend it.',
    );
  if (protocol === 'https:' && !cookies.secure)
    return wrong('cookies', 'they are not Secure, and PUBLIC_URL is https', 'Set COOKIE_SECURE to auto.');
  if (protocol === 'http:' && cookies.secure && hostname !== 'localhost')
    return wrong(
      'cookies',
      'they are Secure, and PUBLIC_URL is http',
      'Browsers will drop them: use https, or COOKIE_SECURE=auto.',
    );
  if (cookies.sameSite === 'none' && http.corsOrigins.length === 0)
    return warning(
      'cookies',
      'SameSite=None, and no other origin is allowed',
      'COOKIE_SAMESITE=Lax is enough, and safer.',
    );
  return ok('cookies', `${cookies.secure ? 'Secure, ' : ''}SameSite=${cookies.sameSite}`);
}

function ofLimits({ throttle, lockout }: Config): Finding {
  const off = Object.entries(throttle).filter(([, rate]) => rate === null);
  if (off.length > 0)
    return warning(
      'limits',
      `off: ${off.map(([name]) => `THROTTLE_${name.toUpperCase()}`).join(', ')}`,
      'Whoever asks a thousand times a second is answered: take the setting out.',
    );
  if (lockout.attempts > LAX_LOCKOUT)
    return warning(
      'limits',
      `${lockout.attempts} wrong passwords before a lock`,
      'LOCKOUT_ATTEMPTS: 5 is the default.',
    );
  return ok('limits', `${lockout.attempts} wrong passwords before a lock`);
}

function ofRedis(redis: 'none' | 'there' | Error): Finding {
  if (redis instanceof Error)
    return wrong(
      'redis',
      `it does not answer: ${redis.message}`,
      'Check REDIS_URL. Until then each process counts for itself.',
    );
  return ok('redis', redis === 'none' ? 'not used: each process counts for itself' : 'answers');
}

function ofHashing({ password }: Config, hashMs: number): Finding {
  const cost = `${password.argon2.memoryKib} KiB, ${password.argon2.time} passes: ${Math.round(hashMs)} ms`;
  return hashMs <= SLOW_HASH_MS
    ? ok('hashing', cost)
    : warning('hashing', cost, 'A sign-in takes at least that long: lower ARGON2_*, or use a faster machine.');
}

const ofBreachFile = (file: 'none' | 'there' | Error): Finding =>
  file instanceof Error
    ? wrong(
        'breached passwords',
        file.message,
        'Make the filter by latchkey breach build, and name it in PASSWORD_BREACH_FILE.',
      )
    : ok('breached passwords', file === 'none' ? 'the common ones alone' : 'by a filter');

const ofMetrics = ({ production, metricsToken }: Config): Finding =>
  production && metricsToken === null
    ? warning('metrics', 'GET /metrics is off', 'Set METRICS_TOKEN, and let Prometheus send it as a bearer token.')
    : ok('metrics', metricsToken === null ? 'open: this is no production' : 'by a token');

function ofPasskeys({ mfa, http }: Config): Finding {
  const { hostname, protocol } = new URL(http.publicUrl);
  const works = protocol === 'https:' || hostname === 'localhost';
  return works && isIP(hostname) === 0
    ? ok('passkeys', `for ${mfa.relyingParty.id}`)
    : warning(
        'passkeys',
        `browsers make none for ${http.publicUrl}`,
        'They need https and a domain name, or localhost.',
      );
}

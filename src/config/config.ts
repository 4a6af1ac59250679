import fs from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';

import { type Rate, type SettingName, type Settings, settings } from './config.schema.js';
import { keptSecret, minSecretBytes, readSetting, weaknessOf } from './secrets.js';

/** The service's settings, parsed once and frozen. Durations are seconds. */
export interface Config {
  readonly production: boolean;
  readonly logLevel: Settings['LOG_LEVEL'];
  readonly http: {
    readonly port: number;
    readonly host: string;
    readonly publicUrl: string;
    /** Express's `trust proxy`: a number of hops, or networks. */
    readonly trustProxy: number | string[];
    readonly corsOrigins: readonly string[];
  };
  readonly database: {
    /** Null: the embedded PostgreSQL under `dataDir`. `ownerUrl` is null where one role does everything. */
    readonly server: { readonly url: string; readonly ownerUrl: string | null } | null;
    /** Of the embedded PostgreSQL. */
    readonly dataDir: string;
    readonly poolSize: number;
  };
  readonly masterSecret: string;
  /** What `masterSecret` was before: still opens what it had sealed. */
  readonly previousMasterSecret: string | null;
  readonly tokens: {
    readonly algorithm: Settings['JWT_ALG'];
    readonly secret: string;
    readonly keysFile: string | null;
    readonly issuer: string;
    readonly audience: string;
    readonly accessTokenSeconds: number;
    /** Attributes of users that become claims. */
    readonly attributeClaims: readonly string[];
    /** Whether the revocation feed gives Security Event Tokens. */
    readonly revocationEventTokens: boolean;
  };
  readonly sessions: {
    readonly idleSeconds: number;
    readonly maxSeconds: number;
    /** How many one user may have at once. */
    readonly maxPerUser: number;
    readonly reuseGraceSeconds: number;
    readonly lostAnswerSeconds: number;
  };
  readonly cookies: {
    readonly secure: boolean;
    readonly domain: string | undefined;
    readonly sameSite: 'lax' | 'strict' | 'none';
    readonly accessToken: boolean;
  };
  readonly throttle: {
    readonly login: Rate | null;
    readonly refresh: Rate | null;
    readonly default: Rate | null;
    /** Failures alone. */
    readonly client: Rate | null;
  };
  readonly mfa: {
    readonly required: 'off' | 'admin' | 'all';
    /** How many steps of 30 seconds a TOTP code may be old. */
    readonly totpWindow: 0 | 1;
    readonly stepUpSeconds: number;
    /** For how long a remembered browser skips the second step; 0: never. */
    readonly rememberSeconds: number;
    /** The WebAuthn relying party: its id, and the origins that may speak for it. */
    readonly relyingParty: { readonly id: string; readonly origins: readonly string[] };
  };
  readonly lockout: { readonly attempts: number; readonly seconds: number };
  /** Who is made an administrator where there is none. */
  readonly firstAdministrator: { readonly username: string; readonly email: string; readonly password: string } | null;
  /** How long an account that its owner deleted stays; 0: not at all. */
  readonly accountDeletionSeconds: number;
  /** Shared counters; null: each process counts for itself. */
  readonly redisUrl: string | null;
  /** Whoever holds it reads /metrics; null: nobody in production, and anybody elsewhere. */
  readonly metricsToken: string | null;
  readonly password: {
    readonly minLength: number;
    readonly contextWords: readonly string[];
    readonly breachFile: string | null;
    readonly hibp: boolean;
    readonly argon2: { readonly memoryKib: number; readonly time: number; readonly parallelism: number };
  };
  /** What the operator should hear once, such as a secret that was made. No values. */
  readonly notices: readonly string[];
}

/** The token under which Nest injects the {@link Config}. */
export const CONFIG = Symbol('Config');

/** The settings do not make a service. Lists every mistake by name; never shows a value. */
export class ConfigError extends Error {
  constructor(readonly mistakes: readonly string[]) {
    super(`The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:`);
  }

  override toString(): string {
    return [this.message, ...this.mistakes.map((mistake) => `  - ${mistake}`)].join('\n');
  }
}

export interface ConfigSources {
  env: NodeJS.ProcessEnv;
  /** Where a container engine mounts secrets. */
  secretsDir?: string;
}

/** Reads `.env` of the working folder under the process environment: the only place that does. */
export function environment(): NodeJS.ProcessEnv {
  const file = path.resolve('.env');
  return fs.existsSync(file) ? { ...parseEnv(fs.readFileSync(file, 'utf8')), ...process.env } : process.env;
}

/** Turns the environment into the frozen {@link Config}. @throws ConfigError with all mistakes at once. */
export function loadConfig({ env, secretsDir = '/run/secrets' }: ConfigSources): Config {
  const mistakes: string[] = [];
  const raw: Record<string, string> = {};
  for (const name of Object.keys(settings.shape)) {
    try {
      const value = readSetting(name, env, secretsDir);
      if (value !== undefined) raw[name] = value;
    } catch {
      mistakes.push(`${name}_FILE names a file that cannot be read`);
    }
  }
  const parsed = settings.safeParse(raw);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) mistakes.push(`${String(issue.path[0])} ${plain(issue.message)}`);
    throw new ConfigError(mistakes);
  }
  const set = parsed.data;
  const production = set.NODE_ENV === 'production';
  const notices: string[] = [];
  const dataDir = path.resolve(set.DATA_DIR);

  const secret = (name: SettingName & ('MASTER_SECRET' | 'JWT_SECRET')): string => {
    const given = set[name];
    if (given === undefined) {
      if (production) {
        mistakes.push(`${name} is missing: production needs at least 32 random bytes (openssl rand -base64 48)`);
        return '';
      }
      const kept = keptSecret(dataDir, name);
      if (kept.made) notices.push(`${name} was not set: a random one was made and is kept in ${dataDir}`);
      return kept.value;
    }
    const weakness = weaknessOf(given, name === 'JWT_SECRET' ? minSecretBytes(set.JWT_ALG) : undefined);
    if (weakness && production) mistakes.push(`${name} ${weakness}`);
    else if (weakness) notices.push(`${name} ${weakness}; production would refuse it`);
    return given;
  };
  const usesSecret = set.JWT_ALG.startsWith('HS');
  const masterSecret = secret('MASTER_SECRET');
  const jwtSecret = usesSecret ? secret('JWT_SECRET') : '';
  if (usesSecret && jwtSecret !== '' && jwtSecret === masterSecret) {
    mistakes.push('JWT_SECRET and MASTER_SECRET are the same: services that verify tokens must not hold the latter');
  }

  // It is the issuer of every token, and what the origin check goes by.
  if (production && !set.PUBLIC_URL) mistakes.push('PUBLIC_URL is needed in production: the URL that callers see');
  const publicUrl = set.PUBLIC_URL ?? `http://localhost:${set.PORT}`;
  const secureCookies =
    set.COOKIE_SECURE === 'auto' ? production || publicUrl.startsWith('https:') : set.COOKIE_SECURE === 'true';
  if (production && !secureCookies) mistakes.push('COOKIE_SECURE must not be false in production');
  if (set.COOKIE_SAMESITE === 'None' && !secureCookies) mistakes.push('COOKIE_SAMESITE None needs Secure cookies');
  if (production && set.CORS_ORIGINS.includes('*'))
    mistakes.push('CORS_ORIGINS must list origins in production, not *');
  if (set.REFRESH_TOKEN_EXPIRE_DAYS > set.SESSION_MAX_DAYS) {
    mistakes.push('REFRESH_TOKEN_EXPIRE_DAYS must not be longer than SESSION_MAX_DAYS');
  }
  const admin = { username: set.ADMIN_USERNAME, email: set.ADMIN_EMAIL, password: set.ADMIN_PASSWORD };
  const named = Object.values(admin).filter((value) => value !== undefined).length;
  if (named % 3 !== 0)
    mistakes.push('ADMIN_USERNAME, ADMIN_EMAIL and ADMIN_PASSWORD go together: set all three, or none');
  const firstAdministrator = named === 3 ? (admin as Required<Config>['firstAdministrator']) : null;
  const relyingParty = relyingPartyOf(publicUrl, set);
  if (!isWithin(new URL(publicUrl).hostname, relyingParty.id))
    mistakes.push('WEBAUTHN_RP_ID must be the host of PUBLIC_URL or a parent domain of it');
  if (mistakes.length > 0) throw new ConfigError(mistakes);

  return deepFreeze({
    production,
    logLevel: set.LOG_LEVEL,
    http: {
      port: set.PORT,
      host: set.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
      publicUrl,
      trustProxy: trustProxy(set.TRUST_PROXY),
      corsOrigins: set.CORS_ORIGINS,
    },
    database: { server: databaseServer(set), dataDir: path.join(dataDir, 'postgres'), poolSize: set.DB_POOL_SIZE },
    masterSecret,
    previousMasterSecret: set.MASTER_SECRET_PREVIOUS ?? null,
    tokens: {
      algorithm: set.JWT_ALG,
      secret: jwtSecret,
      keysFile: set.JWT_KEYS_FILE ?? null,
      issuer: set.JWT_ISSUER ?? publicUrl,
      audience: set.JWT_AUDIENCE,
      accessTokenSeconds: set.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
      attributeClaims: set.TOKEN_CLAIMS,
      revocationEventTokens: set.REVOCATION_EVENT_TOKENS,
    },
    sessions: {
      idleSeconds: set.REFRESH_TOKEN_EXPIRE_DAYS * 86_400,
      maxSeconds: set.SESSION_MAX_DAYS * 86_400,
      maxPerUser: set.SESSIONS_PER_USER,
      reuseGraceSeconds: set.REFRESH_REUSE_GRACE_SECONDS,
      lostAnswerSeconds: set.REFRESH_LOST_ANSWER_HOURS * 3600,
    },
    cookies: {
      secure: secureCookies,
      domain: set.COOKIE_DOMAIN,
      sameSite: set.COOKIE_SAMESITE.toLowerCase() as 'lax' | 'strict' | 'none',
      accessToken: set.ACCESS_TOKEN_COOKIE,
    },
    throttle: {
      login: set.THROTTLE_LOGIN,
      refresh: set.THROTTLE_REFRESH,
      default: set.THROTTLE_DEFAULT,
      client: set.THROTTLE_CLIENT,
    },
    mfa: {
      required: set.REQUIRE_MFA,
      totpWindow: set.TOTP_WINDOW as 0 | 1,
      stepUpSeconds: set.STEP_UP_MINUTES * 60,
      rememberSeconds: set.REMEMBER_DEVICE_DAYS * 86_400,
      relyingParty,
    },
    lockout: { attempts: set.LOCKOUT_ATTEMPTS, seconds: set.LOCKOUT_MINUTES * 60 },
    firstAdministrator: firstAdministrator ?? null,
    accountDeletionSeconds: set.ACCOUNT_DELETION_DAYS * 86_400,
    redisUrl: set.REDIS_URL ?? null,
    metricsToken: set.METRICS_TOKEN ?? null,
    password: {
      minLength: set.PASSWORD_MIN_LENGTH,
      contextWords: set.PASSWORD_CONTEXT_WORDS,
      breachFile: set.PASSWORD_BREACH_FILE ?? null,
      hibp: set.PASSWORD_HIBP,
      argon2: { memoryKib: set.ARGON2_MEMORY_KIB, time: set.ARGON2_TIME, parallelism: set.ARGON2_PARALLELISM },
    },
    notices,
  } satisfies Config);
}

/** Pages of this service, and those of CORS_ORIGINS that are within the relying party's domain. */
function relyingPartyOf(publicUrl: string, set: Settings): Config['mfa']['relyingParty'] {
  const { hostname, origin } = new URL(publicUrl);
  const id = set.WEBAUTHN_RP_ID ?? hostname;
  const others = set.CORS_ORIGINS.filter((other) => other !== '*' && isWithin(new URL(other).hostname, id));
  return { id, origins: [...new Set([origin, ...others])] };
}

const isWithin = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`);

function databaseServer(set: Settings): Config['database']['server'] {
  const url = databaseUrl(set);
  return url === null ? null : { url, ownerUrl: set.DATABASE_MIGRATION_URL ?? null };
}

function databaseUrl(set: Settings): string | null {
  if (set.DATABASE_URL) return set.DATABASE_URL;
  if (!set.DB_HOST) return null;
  const [user, password, name] = [set.DB_USER, set.DB_PASSWORD, set.DB_NAME].map(encodeURIComponent);
  const socket = set.DB_HOST.startsWith('/'); // a folder: the server's unix socket is in it
  return socket
    ? `postgres://${user}:${password}@localhost/${name}?host=${encodeURIComponent(set.DB_HOST)}&port=${set.DB_PORT}`
    : `postgres://${user}:${password}@${set.DB_HOST}:${set.DB_PORT}/${name}`;
}

const trustProxy = (value: string): number | string[] =>
  /^\d+$/.test(value) ? Number(value) : value.split(',').map((part) => part.trim());

/** zod's sentences, without the value that some of them quote. */
const plain = (message: string): string =>
  /^(must|is|needs)/.test(message) ? message : `is not valid: ${message.replace(/, received .*$/, '')}`;

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value))
    if (member !== null && typeof member === 'object') deepFreeze(member as object);
  return Object.freeze(value);
}

import { isIP } from 'node:net';

import { z } from 'zod';

/**
 * Every setting of the service, once: name, type, default, and the comment that `.env.example`
 * shows. Values arrive as text from the environment or a secret file.
 */

const positiveInt = (max = 2_147_483_647) => z.coerce.number().int().min(1).max(max);
const wholeNumber = (max = 2_147_483_647) => z.coerce.number().int().min(0).max(max);
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

/** `requests/seconds` for one client address, or `off`. */
const rate = z
  .string()
  .regex(/^(off|[1-9]\d{0,8}\/[1-9]\d{0,5})$/, 'must be requests/seconds, such as 5/60, or off')
  .transform((value): Rate | null => {
    if (value === 'off') return null;
    const [limit, seconds] = value.split('/').map(Number);
    return { limit, seconds };
  });

/** How many requests one client address may make within a window. */
export interface Rate {
  limit: number;
  seconds: number;
}

/** Claims with a meaning of their own: RFC 7519, RFC 9068, RFC 7662, and the service's. */
const RESERVED_CLAIMS: readonly string[] = [
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sid', 'azp', 'act', 'cnf', 'typ', 'active', 'token_type'],
  ...['client_id', 'scope', 'username', 'roles', 'permissions', 'groups', 'entitlements', 'amr', 'acr', 'auth_time'],
  ...['device_id', 'org_id'],
];

const origin = z.string().refine((value) => isOrigin(value), 'must be an origin, such as https://app.example.com');

function isOrigin(value: string): boolean {
  try {
    return new URL(value).origin === value && /^https?:/.test(value);
  } catch {
    return false;
  }
}

/** A unix socket is given as `postgres://user@/name?host=/folder`, which WHATWG URLs do not know. */
function isDatabaseUrl(value: string): boolean {
  return /^postgres(ql)?:\/\//.test(value) && URL.canParse(value.replace(/^(\w+:\/\/[^/]*@)\//, '$1localhost/'));
}

/** What Express takes as a proxy: it would throw its own error, with the value in it, only once it is asked. */
function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [, address, bits] = /^([0-9a-fA-F.:]+)(?:\/([1-9]\d{0,2}))?$/.exec(text) ?? [];
  const longest = { 0: 0, 4: 32, 6: 128 }[isIP(address ?? '')] ?? 0;
  return longest > 0 && Number(bits ?? longest) <= longest;
}

const commaList = <T extends z.ZodType<string, string>>(item: T) =>
  z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item));

const setting = <T extends z.ZodType>(schema: T, group: string, comment: string): T =>
  schema.meta({ group, description: comment });

export const settings = z.object({
  NODE_ENV: setting(
    z.enum(['development', 'test', 'production']).default('development'),
    'Service',
    'production refuses weak secrets and insecure cookies.',
  ),
  PORT: setting(wholeNumber(65_535).default(3000), 'Service', 'TCP port; 0 takes any free one.'),
  HOST: setting(
    z.string().min(1).optional(),
    'Service',
    'Address to listen on. Default: 127.0.0.1, and 0.0.0.0 in production.',
  ),
  PUBLIC_URL: setting(
    z
      .url({ protocol: /^https?$/ })
      .transform((value) => value.replace(/\/+$/, ''))
      .optional(),
    'Service',
    'The URL that callers see; production needs it. Default elsewhere: http://localhost:PORT.',
  ),
  LOG_LEVEL: setting(
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    'Service',
    'Logs are JSON lines on standard output.',
  ),
  TRUST_PROXY: setting(
    z
      .string()
      .refine((value) => /^\d{1,2}$/.test(value) || value.split(',').every((part) => isNetwork(part.trim())), {
        message: 'must be a number of hops, or a list of addresses and networks, such as 10.0.0.0/8, loopback',
      })
      .default('0'),
    'Service',
    'Which proxies may say who the client is: a number of hops, or addresses and networks (10.0.0.0/8, loopback). 0 trusts none.',
  ),
  METRICS_TOKEN: setting(
    z
      .string()
      .refine((value) => Buffer.byteLength(value) >= 16, 'must be at least 16 bytes long')
      .optional(),
    'Service',
    'Bearer token for GET /metrics, at least 16 bytes. Without it production has no /metrics, and elsewhere anybody may read it.',
  ),
  CORS_ORIGINS: setting(
    commaList(z.union([z.literal('*'), origin])).default([]),
    'Service',
    'Origins of front ends on other hosts, comma-separated. * is refused in production.',
  ),

  DATABASE_URL: setting(
    z.string().refine(isDatabaseUrl, 'must be a postgres:// URL').optional(),
    'Database',
    'postgres://user:password@host:5432/name. Without it and DB_HOST: an embedded PostgreSQL under DATA_DIR.',
  ),
  DATABASE_MIGRATION_URL: setting(
    z.string().refine(isDatabaseUrl, 'must be a postgres:// URL').optional(),
    'Database',
    'The same database by the role that owns its schema: migrations use it, and then give the role of DATABASE_URL (made where it is missing) its rights and no more. `latchkey migrate` alone needs it. Without it one role does both.',
  ),
  DB_HOST: setting(z.string().min(1).optional(), 'Database', 'Instead of DATABASE_URL, in parts.'),
  DB_PORT: setting(positiveInt(65_535).default(5432), 'Database', 'Port of DB_HOST.'),
  DB_USER: setting(z.string().min(1).default('latchkey'), 'Database', 'User at DB_HOST.'),
  DB_PASSWORD: setting(z.string().default(''), 'Database', 'Password at DB_HOST.'),
  DB_NAME: setting(z.string().min(1).default('latchkey'), 'Database', 'Database at DB_HOST.'),
  DB_POOL_SIZE: setting(positiveInt(1000).default(10), 'Database', 'Connections that one process keeps at most.'),
  DATA_DIR: setting(
    z.string().min(1).default('./data'),
    'Database',
    'Holds the embedded PostgreSQL and, outside production, the secrets made at first start.',
  ),

  MASTER_SECRET: setting(
    z.string().optional(),
    'Secrets',
    'At least 32 bytes; never leaves this service. Refresh, CSRF and device tokens, seeds of authenticators, recovery codes and the signing keys of the database hang on it.',
  ),
  MASTER_SECRET_PREVIOUS: setting(
    z.string().optional(),
    'Secrets',
    'Another MASTER_SECRET that still counts, as a rule the one before: opens tokens, seeds, recovery codes and signing keys of its time. A seed is sealed anew when it is used, recovery codes when they are renewed; without this those that were not are lost. docs/runbooks/rotate-master-secret.md.',
  ),
  JWT_SECRET: setting(
    z.string().optional(),
    'Secrets',
    'At least 32 bytes; shared with the services that verify tokens (HS256, HS384, HS512).',
  ),

  JWT_ALG: setting(
    z.enum(['HS256', 'HS384', 'HS512', 'ES256', 'EdDSA', 'RS256']).default('HS256'),
    'Tokens',
    'Signature of access tokens, while no key of the database is active (latchkey keys). HS256, HS384 and HS512 sign with JWT_SECRET; ES256, EdDSA and RS256 with JWT_KEYS_FILE, or with a key that the first start makes in the database, and publish a JWKS.',
  ),
  JWT_KEYS_FILE: setting(
    z.string().min(1).optional(),
    'Tokens',
    'A JWK Set with private keys (RFC 7517); the first key of JWT_ALG signs, all verify. Read anew when it changes, without a restart.',
  ),
  JWT_ISSUER: setting(z.string().min(1).optional(), 'Tokens', 'The iss claim. Default: PUBLIC_URL.'),
  JWT_AUDIENCE: setting(z.string().min(1).default('latchkey'), 'Tokens', 'The aud claim.'),
  ACCESS_TOKEN_EXPIRE_MINUTES: setting(positiveInt(1440).default(15), 'Tokens', 'Life of an access token.'),

  TOKEN_CLAIMS: setting(
    commaList(
      z
        .string()
        .regex(/^[a-z][a-z0-9_]{0,31}$/, 'must name attributes: lower-case letters, digits and underscore')
        .refine((name) => !RESERVED_CLAIMS.includes(name), 'must not name a claim that tokens have anyway'),
    ).default([]),
    'Tokens',
    'Attributes of users that access tokens carry as claims, comma-separated; org_id always does.',
  ),

  REVOCATION_EVENT_TOKENS: setting(
    flag.default(false),
    'Tokens',
    'true gives each entry of the revocation feed as a signed Security Event Token too (RFC 8417).',
  ),

  REFRESH_TOKEN_EXPIRE_DAYS: setting(
    positiveInt(3650).default(14),
    'Sessions',
    'A session ends after this many days without a refresh.',
  ),
  SESSION_MAX_DAYS: setting(
    positiveInt(3650).default(90),
    'Sessions',
    'A session ends after this many days in any case.',
  ),
  SESSIONS_PER_USER: setting(
    positiveInt(10_000).default(100),
    'Sessions',
    'How many sessions one user may have at once; one more ends the one seen longest ago.',
  ),
  REFRESH_REUSE_GRACE_SECONDS: setting(
    wholeNumber(3600).default(10),
    'Sessions',
    'For this long the parent of the current refresh token gets the same successor again.',
  ),
  REFRESH_LOST_ANSWER_HOURS: setting(
    wholeNumber(8760).default(24),
    'Sessions',
    'For this long a lost refresh answer is healed on the same device. Both at 0: strict single use.',
  ),

  COOKIE_SECURE: setting(
    z.enum(['auto', 'true', 'false']).default('auto'),
    'Cookies',
    'auto: Secure in production and wherever PUBLIC_URL is https.',
  ),
  COOKIE_DOMAIN: setting(
    z
      .string()
      .regex(/^[a-zA-Z0-9.-]+$/)
      .optional(),
    'Cookies',
    'Domain attribute; none by default, so that the cookies stay with this host.',
  ),
  COOKIE_SAMESITE: setting(
    z.enum(['Lax', 'Strict', 'None']).default('Lax'),
    'Cookies',
    'SameSite attribute. None needs Secure cookies.',
  ),
  ACCESS_TOKEN_COOKIE: setting(
    flag.default(false),
    'Cookies',
    'true also sends the access token as an HttpOnly cookie, for front ends that keep no token in script.',
  ),

  THROTTLE_LOGIN: setting(
    rate.default({ limit: 5, seconds: 60 }),
    'Protection',
    'Sign-ins for one client address: requests/seconds, or off.',
  ),
  THROTTLE_REFRESH: setting(
    rate.default({ limit: 60, seconds: 60 }),
    'Protection',
    'Refreshes for one client address: requests/seconds, or off.',
  ),
  THROTTLE_DEFAULT: setting(
    rate.default({ limit: 300, seconds: 60 }),
    'Protection',
    'Everything else for one client address: requests/seconds, or off.',
  ),
  THROTTLE_CLIENT: setting(
    rate.default({ limit: 30, seconds: 60 }),
    'Protection',
    'Failed authentications of services from one client address: failures/seconds, or off. Right ones are never held back.',
  ),
  LOCKOUT_ATTEMPTS: setting(
    positiveInt(100).default(5),
    'Protection',
    'Wrong passwords for one name from one network, before it is locked there.',
  ),
  LOCKOUT_MINUTES: setting(
    positiveInt(1440).default(15),
    'Protection',
    'The first lock; each further one in a row is twice as long, up to a day.',
  ),
  REQUIRE_MFA: setting(
    z.enum(['off', 'admin', 'all']).default('off'),
    'Second factors',
    'Who must have a second factor: nobody, whoever has the role admin, or everybody.',
  ),
  TOTP_WINDOW: setting(
    wholeNumber(1).default(1),
    'Second factors',
    'How many time steps of 30 seconds a code may be old: 1 (RFC 6238, section 5.2), or 0 (ASVS 6.5.5 to the letter).',
  ),
  STEP_UP_MINUTES: setting(
    positiveInt(1440).default(15),
    'Second factors',
    'For this long after a proof of identity, factors may be changed and other sessions ended without another one.',
  ),
  REMEMBER_DEVICE_DAYS: setting(
    wholeNumber(365).default(30),
    'Second factors',
    'For how long a browser may skip the second step, if its user asks so and REQUIRE_MFA does not name them. 0: never.',
  ),
  WEBAUTHN_RP_ID: setting(
    z
      .string()
      .regex(/^[a-z0-9.-]+$/, 'must be a domain name in lower case')
      .optional(),
    'Second factors',
    'The domain that passkeys are for. Default: the host of PUBLIC_URL; else a parent domain of it.',
  ),

  REDIS_URL: setting(
    z.url({ protocol: /^rediss?$/ }).optional(),
    'Protection',
    'redis://host:6379, where several processes share the limits. Without it each process counts for itself.',
  ),
  ACCOUNT_DELETION_DAYS: setting(
    wholeNumber(365).default(14),
    'Protection',
    'For how long an account that its owner deleted can be had back by signing in; 0: it is deleted at once.',
  ),
  ADMIN_USERNAME: setting(
    z.string().min(3).max(64).optional(),
    'First administrator',
    'With the next two: the administrator that is made where there is none. Or: latchkey users create <name> <e-mail> --role user admin.',
  ),
  ADMIN_EMAIL: setting(z.email().optional(), 'First administrator', 'Their e-mail address.'),
  ADMIN_PASSWORD: setting(
    z.string().min(12, 'must be at least 12 characters long').max(1024).optional(),
    'First administrator',
    'Their password; it has to be changed at the first sign-in.',
  ),

  PASSWORD_MIN_LENGTH: setting(
    positiveInt(64).min(8).default(12),
    'Protection',
    'Code points. NIST 800-63B: 15 where the password is the only factor, 8 with a second one.',
  ),
  PASSWORD_CONTEXT_WORDS: setting(
    commaList(z.string().max(64)).default(['latchkey']),
    'Protection',
    'Names of your service, comma-separated: a password that is little more than one of them is refused.',
  ),
  PASSWORD_BREACH_FILE: setting(
    z.string().min(1).optional(),
    'Protection',
    'A filter of breached passwords, made by: latchkey breach build <hash list> <file>.',
  ),
  PASSWORD_HIBP: setting(
    flag.default(false),
    'Protection',
    'true asks Have I Been Pwned about new passwords; five hex digits of their SHA-1 leave the service.',
  ),
  ARGON2_MEMORY_KIB: setting(
    positiveInt(262_144).min(19_456).default(19_456),
    'Protection',
    'Argon2id memory; less than 19456 (19 MiB, OWASP) is refused.',
  ),
  ARGON2_TIME: setting(positiveInt(20).min(2).default(2), 'Protection', 'Argon2id passes; less than 2 is refused.'),
  ARGON2_PARALLELISM: setting(positiveInt(16).default(1), 'Protection', 'Argon2id lanes.'),
});

export type Settings = z.infer<typeof settings>;
export type SettingName = keyof Settings;

/** The settings that are secrets: they may never be shown, not even in an error. */
export const secretNames: readonly SettingName[] = [
  'DATABASE_URL',
  'DB_PASSWORD',
  'REDIS_URL',
  'MASTER_SECRET',
  'MASTER_SECRET_PREVIOUS',
  'JWT_SECRET',
  'METRICS_TOKEN',
  'ADMIN_PASSWORD',
];

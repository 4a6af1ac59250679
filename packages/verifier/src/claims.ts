import { TokenInvalid } from './errors.js';

/** Seconds since 1970 as an integer: stricter than the NumericDate of RFC 7519, section 2. */
export type Instant = number;

interface CommonClaims {
  /** The issuer, as configured. */
  readonly iss: string;
  /** The audience: exactly one. */
  readonly aud: string;
  readonly iat: Instant;
  readonly exp: Instant;
  readonly nbf?: Instant;
  /** The token's own id. */
  readonly jti: string;
  /** The permissions as RFC 6749, section 3.3, writes a scope: names between single spaces. */
  readonly scope: string;
  readonly org_id?: string;
}

/** The claims of a user's access token (RFC 9068, section 2.2). */
export interface UserClaims extends CommonClaims {
  /** The user's id, a UUID. */
  readonly sub: string;
  /** The session's id, a UUID. Tells a user's token from a service's. */
  readonly sid: string;
  readonly username: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  /** How the user proved who they are (RFC 8176), and when. A refresh moves neither. */
  readonly amr: readonly string[];
  readonly auth_time: Instant;
  /** The device that the token is bound to. */
  readonly device_id?: string;
  readonly client_id?: string;
}

/** The claims of a service's own token (client credentials: RFC 6749, section 4.4; RFC 9068, section 2.2). */
export interface ServiceClaims extends CommonClaims {
  /** The client's id. */
  readonly sub: string;
  /** The same as `sub`. */
  readonly client_id: string;
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  readonly sid?: undefined;
  readonly username?: undefined;
  readonly amr?: undefined;
  readonly auth_time?: undefined;
  readonly device_id?: undefined;
}

/** What a verified token says. `claims.sid !== undefined` tells a user's from a service's. */
export type AccessTokenClaims = UserClaims | ServiceClaims;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

const isText = (value: unknown): value is string => typeof value === 'string';
const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value);
/** Neither a fraction, nor 1e400, which JSON.parse makes Infinity. */
const isInstant = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

/**
 * Checks that all claims of an access token are there and of the right type; their values are the
 * checker's matter. Unknown claims pass. Written out rather than told by a schema, for speed.
 *
 * @throws TokenInvalid `claim <name>`
 */
export function readClaims(value: unknown): AccessTokenClaims {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TokenInvalid('claims');
  const claims = value as Record<string, unknown>;
  if (!isText(claims.iss)) throw wrong('iss');
  if (!isText(claims.aud)) throw wrong('aud');
  if (!isName(claims.sub)) throw wrong('sub');
  if (!isInstant(claims.iat)) throw wrong('iat');
  if (!isInstant(claims.exp)) throw wrong('exp');
  if (claims.nbf !== undefined && !isInstant(claims.nbf)) throw wrong('nbf');
  if (!isName(claims.jti)) throw wrong('jti');
  if (!isText(claims.scope)) throw wrong('scope');
  if (claims.org_id !== undefined && !isText(claims.org_id)) throw wrong('org_id');
  if (claims.client_id !== undefined && !isName(claims.client_id)) throw wrong('client_id');
  if (claims.sid === undefined && claims.client_id !== undefined) checkService(claims);
  else checkUser(claims);
  return claims as unknown as AccessTokenClaims;
}

function checkUser(claims: Record<string, unknown>): void {
  if (!isUuid(claims.sub)) throw wrong('sub');
  if (!isUuid(claims.sid)) throw wrong('sid');
  if (!isText(claims.username)) throw wrong('username');
  if (!isTexts(claims.roles)) throw wrong('roles');
  if (!isTexts(claims.permissions)) throw wrong('permissions');
  if (!isTexts(claims.amr)) throw wrong('amr');
  if (!isInstant(claims.auth_time)) throw wrong('auth_time');
  if (claims.device_id !== undefined && !isName(claims.device_id)) throw wrong('device_id');
}

/** A user's token that lost its session must not pass for a service's. */
function checkService(claims: Record<string, unknown>): void {
  for (const name of ['username', 'amr', 'auth_time', 'device_id']) if (claims[name] !== undefined) throw wrong('sid');
  if (claims.sub !== claims.client_id) throw wrong('client_id');
  if (claims.roles !== undefined && !isTexts(claims.roles)) throw wrong('roles');
  if (claims.permissions !== undefined && !isTexts(claims.permissions)) throw wrong('permissions');
}

const wrong = (name: string): TokenInvalid => new TokenInvalid(`claim ${name}`);

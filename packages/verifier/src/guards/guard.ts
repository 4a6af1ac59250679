import type { AccessTokenClaims } from '../claims.js';
import { TokenError, VerifierConfigError } from '../errors.js';
import type { Verifier } from '../verifier.js';

/** Whether whoever the claims speak for may go on. */
export interface Requirement {
  (claims: AccessTokenClaims): boolean | Promise<boolean>;
  /** What would do, for the challenge to whoever lacks it (RFC 6750, section 3). */
  readonly scope?: string;
}

export interface GuardOptions {
  /** All of them have to hold. */
  readonly require?: Requirement | readonly Requirement[];
  /** A cookie that carries the token where there is no Authorization header. Mind CSRF then. */
  readonly cookie?: string;
  /** A header, such as `x-device-id`, in which a client names its device: a token bound to one passes with that alone. */
  readonly deviceHeader?: string;
}

/** What the guards need of a request: its headers as Node gives them, and those that came twice. */
export interface GuardedRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly headersDistinct?: Readonly<Record<string, string[] | undefined>>;
}

/** An answer to whoever may not go on: RFC 9457, with the challenge of RFC 6750. */
export interface Refusal {
  readonly status: 401 | 403 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { type: string; title: string; status: number; detail: string; code: string };
}

export type GuardOutcome = { readonly claims: AccessTokenClaims } | { readonly refusal: Refusal };

/**
 * What the bearer may do. A user's `permissions` come from their roles. A service has none: what it asked for, and was granted, is the
 * `scope` of its token (RFC 6749, section 4.4). So a `scope` never adds to what a user may do, nor `permissions` to a service.
 */
export const permissionsOf = (claims: AccessTokenClaims): readonly string[] =>
  claims.sid === undefined ? scopesOf(claims) : claims.permissions;

const scopesOf = ({ scope }: AccessTokenClaims): readonly string[] => scope.split(' ');

/** Any of the roles. A service has none. */
export const requireRole = (...roles: string[]): Requirement => {
  const wanted = named(roles);
  return ({ roles: held }) => wanted.some((role) => held?.includes(role));
};

/** All of the permissions, of a user or a service: {@link permissionsOf}. */
export const requirePermissions = (...permissions: string[]): Requirement => {
  const wanted = named(permissions);
  return Object.assign(
    (claims: AccessTokenClaims) => {
      const held = permissionsOf(claims);
      return wanted.every((permission) => held.includes(permission));
    },
    { scope: wanted.join(' ') },
  );
};

/** Any of the permissions, of a user or a service: {@link permissionsOf}. */
export const requireAnyPermission = (...permissions: string[]): Requirement => {
  const wanted = named(permissions);
  return (claims) => {
    const held = permissionsOf(claims);
    return wanted.some((permission) => held.includes(permission));
  };
};

/** All of the scopes (RFC 6749, section 3.3). */
export const requireScope = (...scopes: string[]): Requirement => {
  const wanted = named(scopes);
  return Object.assign((claims: AccessTokenClaims) => wanted.every((scope) => scopesOf(claims).includes(scope)), {
    scope: wanted.join(' '),
  });
};

/** RFC 6749, section 3.3: what a scope's name may be. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** A requirement of nothing would let everybody pass, and a name with a space nobody. @throws VerifierConfigError */
function named(names: readonly string[]): readonly string[] {
  if (names.length === 0) throw new VerifierConfigError('a requirement names at least one role, permission or scope');
  const wrong = names.find((name) => !SCOPE_TOKEN.test(name));
  if (wrong !== undefined)
    throw new VerifierConfigError(`${JSON.stringify(wrong)} is no name of a role, permission or scope`);
  return names;
}

/** Finds the token, verifies it and asks what is required. Never throws for a bad token. */
export async function judge(verifier: Verifier, request: GuardedRequest, options: GuardOptions): Promise<GuardOutcome> {
  const token = tokenOf(request, options.cookie);
  if (token === null) return { refusal: refuse(401, 'token_missing', 'A token is needed', 'Bearer') };
  let claims: AccessTokenClaims;
  try {
    claims = await verifier.verify(token, deviceOf(request, options.deviceHeader));
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    if (error.code === 'verifier_stale')
      return { refusal: refuse(503, error.code, 'Tokens cannot be verified now', null, { 'Retry-After': '5' }) };
    return { refusal: refuse(401, error.code, TITLES[error.code], 'Bearer error="invalid_token"') };
  }
  for (const requirement of [options.require ?? []].flat())
    if (!(await requirement(claims))) return { refusal: forbid(requirement.scope) };
  return { claims };
}

const TITLES = {
  token_invalid: 'The token is not valid',
  token_expired: 'The token has expired',
  token_revoked: 'The token was revoked',
};

/** RFC 6750, section 3.1. */
function forbid(scope: string | undefined): Refusal {
  const challenge = 'Bearer error="insufficient_scope"';
  return refuse(403, 'forbidden', 'Not allowed', scope === undefined ? challenge : `${challenge}, scope="${scope}"`);
}

function refuse(
  status: Refusal['status'],
  code: string,
  title: string,
  challenge: string | null,
  headers: Record<string, string> = {},
): Refusal {
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json; charset=utf-8',
      'Cache-Control': 'no-store',
      ...(challenge !== null && { 'WWW-Authenticate': challenge }),
      ...headers,
    },
    body: { type: 'about:blank', title, status, detail: `${title}.`, code },
  };
}

/** The bearer token; only where there is no Authorization header at all, the cookie. Of two headers, none counts. */
function tokenOf({ headers, headersDistinct }: GuardedRequest, cookie: string | undefined): string | null {
  const { authorization } = headers;
  if (authorization !== undefined) {
    if (typeof authorization !== 'string' || (headersDistinct?.authorization?.length ?? 1) > 1) return '';
    return /^bearer +([^ ]+)$/i.exec(authorization)?.[1] ?? '';
  }
  return cookie === undefined ? null : cookieOf(headers.cookie, cookie);
}

function cookieOf(header: string | string[] | undefined, name: string): string | null {
  const values = String(header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`));
  return values.length === 1 ? values[0].slice(name.length + 1) : null;
}

function deviceOf({ headers }: GuardedRequest, header: string | undefined): { deviceId: string } | undefined {
  if (header === undefined) return undefined;
  const value = headers[header.toLowerCase()];
  return { deviceId: typeof value === 'string' ? value : '' };
}

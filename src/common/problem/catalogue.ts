import type { ProblemType } from './problem.js';

/**
 * Every error that callers can meet, once. `docs/problems/<code>.md` explains each to a person,
 * the service serves that page under the problem's `type` URL, and OpenAPI lists them.
 */
const all: ProblemType[] = [];

function define(code: string, status: number, title: string, detail: string): ProblemType {
  const type = Object.freeze({ code, status, title, detail });
  all.push(type);
  return type;
}

export const MALFORMED_REQUEST = define(
  'malformed_request',
  400,
  'The request cannot be read',
  'The body is not valid JSON or not a valid form.',
);
export const INVALID_CREDENTIALS = define(
  'invalid_credentials',
  401,
  'The credentials do not match',
  'The username or the password is wrong.',
);
export const TOKEN_MISSING = define(
  'token_missing',
  401,
  'A token is needed',
  'Sign in and send the access token as a bearer token.',
);
export const TOKEN_INVALID = define(
  'token_invalid',
  401,
  'The token is not valid',
  'The token is not one that this service accepts.',
);
export const TOKEN_EXPIRED = define(
  'token_expired',
  401,
  'The token has expired',
  'Refresh the session, or sign in again.',
);
export const TOKEN_REVOKED = define(
  'token_revoked',
  401,
  'The session has ended',
  'This session was ended. Sign in again.',
);
export const MFA_INVALID = define(
  'mfa_invalid',
  401,
  'The second factor is not right',
  'The code is wrong, was used before, or the sign-in has expired. Try the next code, or sign in again.',
);
export const INVALID_CLIENT = define(
  'invalid_client',
  401,
  'The client is not known',
  'Authenticate as a client: by its id and secret, or by an assertion that it signed.',
);
export const UNSUPPORTED_GRANT_TYPE = define(
  'unsupported_grant_type',
  400,
  'The grant is not supported',
  'grant_type must be client_credentials.',
);
export const UNAUTHORIZED_CLIENT = define(
  'unauthorized_client',
  400,
  'The client gets no tokens',
  'This client was given no audience that it may ask for.',
);
export const INVALID_SCOPE = define(
  'invalid_scope',
  400,
  'The scope is not given to this client',
  'The scope is malformed, or has something that this client was not given.',
);
export const INVALID_TARGET = define(
  'invalid_target',
  400,
  'The audience is not given to this client',
  'Ask for one audience, of those that this client was given.',
);
export const UNSUPPORTED_TOKEN_TYPE = define(
  'unsupported_token_type',
  400,
  'This kind of token is not revoked here',
  'Access tokens of clients are revoked here; users sign out at POST /auth/logout.',
);
export const FORBIDDEN = define(
  'forbidden',
  403,
  'Not allowed',
  'Your account does not have the permission that this needs.',
);
export const CSRF_FAILED = define(
  'csrf_failed',
  403,
  'The CSRF check failed',
  'Fetch a token from GET /auth/csrf and send it in X-CSRF-Token, from an allowed origin.',
);
export const ACCOUNT_DISABLED = define(
  'account_disabled',
  403,
  'The account is disabled',
  'This account was disabled. Ask an administrator.',
);
export const PASSWORD_CHANGE_REQUIRED = define(
  'password_change_required',
  403,
  'The password must be changed',
  'Change your password first: POST /auth/change-password.',
);
export const STEP_UP_REQUIRED = define(
  'step_up_required',
  403,
  'Prove yourself again',
  'This needs a recent proof of identity: POST /auth/step-up with one of the methods listed.',
);
export const MFA_ENROLLMENT_REQUIRED = define(
  'mfa_enrollment_required',
  403,
  'A second factor is needed',
  'Your account must have a second factor. Set one up first.',
);
export const NOT_FOUND = define('not_found', 404, 'Not found', 'There is nothing here.');
export const METHOD_NOT_ALLOWED = define(
  'method_not_allowed',
  405,
  'The method is not allowed',
  'This resource does not answer that method; Allow lists those it does.',
);
export const USERNAME_TAKEN = define(
  'username_taken',
  409,
  'The username is taken',
  'Another account has this username. Choose a different one.',
);
export const EMAIL_TAKEN = define(
  'email_taken',
  409,
  'The e-mail address is taken',
  'Another account has this e-mail address. Sign in, or use a different one.',
);
export const ROLE_TAKEN = define(
  'role_taken',
  409,
  'There is a role of this name',
  'Another role has this name. Choose a different one.',
);
export const CLIENT_TAKEN = define(
  'client_taken',
  409,
  'There is a client of this name',
  'Another client has this name. Choose a different one.',
);
export const ROLE_BUILT_IN = define(
  'role_built_in',
  409,
  'The role comes with the service',
  'The roles user and admin stay; what admin allows stays too.',
);
export const LAST_ADMINISTRATOR = define(
  'last_administrator',
  409,
  'The last administrator stays',
  'Nobody else could administer the service. Make somebody else an administrator first.',
);
export const TOO_MANY_FACTORS = define(
  'too_many_factors',
  409,
  'There are too many of this kind',
  'An account may have ten authenticator apps and ten passkeys. Take one away first.',
);
export const BODY_TOO_LARGE = define(
  'body_too_large',
  413,
  'The body is too large',
  'A request body may hold 64 KiB at most.',
);
export const UNSUPPORTED_MEDIA_TYPE = define(
  'unsupported_media_type',
  415,
  'The media type is not supported',
  'Send application/json in UTF-8, without a content encoding.',
);
export const VALIDATION_FAILED = define(
  'validation_failed',
  422,
  'The request is not valid',
  'Some fields are not valid; errors lists each.',
);
export const WEAK_PASSWORD = define('weak_password', 422, 'The password is too weak', 'Choose a longer password.');
export const ACCOUNT_LOCKED = define(
  'account_locked',
  429,
  'Too many wrong attempts',
  'Too many wrong passwords or codes were tried. Wait for as long as Retry-After says, then try again.',
);
export const RATE_LIMITED = define(
  'rate_limited',
  429,
  'Too many requests',
  'Wait for as long as Retry-After says, then try again.',
);
export const INTERNAL_ERROR = define(
  'internal_error',
  500,
  'Something went wrong',
  'An unexpected error happened. Quote the request id when you report it.',
);
export const OVERLOADED = define(
  'overloaded',
  503,
  'The service is busy',
  'The service cannot take this request now. Try again shortly.',
);

export const problemCatalogue: readonly ProblemType[] = all;

/** What `code` of a {@link TokenError} may be. A public contract: a code never changes its meaning. */
export type TokenErrorCode = 'token_invalid' | 'token_expired' | 'token_revoked' | 'verifier_stale';

/**
 * Why a token is not accepted. `code` is for callers; `reason` is a short phrase for logs, which
 * never holds any part of the token. Neither does `message`.
 */
export abstract class TokenError extends Error {
  abstract readonly code: TokenErrorCode;

  constructor(
    readonly reason: string,
    what: string,
  ) {
    super(`${what} (${reason})`);
  }
}

/** The token is not one that this audience accepts, and never was: answer 401. */
export class TokenInvalid extends TokenError {
  override readonly name = 'TokenInvalid';
  readonly code = 'token_invalid';

  constructor(reason: string) {
    super(reason, 'The access token is not valid');
  }
}

/** The token was good, and its time is over: answer 401. Thrown only where all else is right. */
export class TokenExpired extends TokenError {
  override readonly name = 'TokenExpired';
  readonly code = 'token_expired';

  constructor() {
    super('exp', 'The access token has expired');
  }
}

/** The token would be good, but what it stands on was revoked: answer 401. `reason` says what that is. */
export class TokenRevoked extends TokenError {
  override readonly name = 'TokenRevoked';
  readonly code = 'token_revoked';

  constructor(reason: string) {
    super(reason, 'The access token was revoked');
  }
}

/**
 * The token cannot be judged now, for want of keys or of fresh revocations: answer 503. It says
 * nothing about the token.
 */
export class VerifierStale extends TokenError {
  override readonly name = 'VerifierStale';
  readonly code = 'verifier_stale';

  constructor(reason: string) {
    super(reason, 'The access token cannot be verified now');
  }
}

/** A key or an option that cannot be used. Shows no secret. */
export class VerifierConfigError extends Error {
  override readonly name = 'VerifierConfigError';
}

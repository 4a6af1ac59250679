/** What a revocation names its subject by: `jti`, `sid`, `sub`, `client_id` or `kid`. */
export type RevocationKind = 'token' | 'session' | 'user' | 'client' | 'key';

/** Why; stored with the session that ended, told to verifiers, and in the audit row. */
export const revocationReasons = [
  'logout',
  'logout_all',
  'ended_by_user',
  'ended_by_administrator',
  'replaced',
  'password_changed',
  'factors_reset',
  'refresh_token_reused',
  'session_limit',
  'account_disabled',
  'account_deleted',
  'roles_changed',
  'token_revoked',
  'client_disabled',
  'client_changed',
  'key_compromised',
] as const;

export type RevocationReason = (typeof revocationReasons)[number];

/**
 * What is to count no more:
 * - `session`: it ends; where a salt's hash is given, only if the refresh token was really its own;
 * - `sessionsOf`: all of a user's sessions end, or all but `except`;
 * - `tokensOf`: a user's access tokens so far count no more, and their sessions go on: the next
 *   refresh gives a token that says what is true now;
 * - `token`: one access token;
 * - `client`: it is disabled, and its tokens count no more;
 * - `tokensOfClient`: a client's tokens so far count no more, and it may get others;
 * - `key`: whatever it signed counts no more.
 */
export type RevocationTarget =
  | { readonly session: string; readonly saltHash?: Buffer }
  | { readonly sessionsOf: string; readonly except?: string }
  | { readonly tokensOf: string }
  | { readonly token: string; readonly userId?: string; readonly clientId?: string }
  | { readonly client: string }
  | { readonly tokensOfClient: string }
  | { readonly key: string };

export interface RevocationCause {
  readonly reason: RevocationReason;
  /** Who did it; null where nobody proved who they are. */
  readonly actorId: string | null;
}

/** An entry of the feed, as every verifier gets it. Instants of the wire are RFC 3339. */
export interface RevocationEntry {
  readonly id: string;
  readonly kind: RevocationKind;
  readonly subject: string;
  /** NumericDate: tokens with an earlier `iat` are refused. Null: all. */
  readonly issued_before: number | null;
  readonly reason: RevocationReason;
  readonly revoked_at: string;
  readonly expires_at: string;
}

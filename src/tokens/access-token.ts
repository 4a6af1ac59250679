/** `typ` of an access token (RFC 9068, section 2.1): no other kind of token passes for one. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/**
 * The audience of tokens whose owner must change their password first: this service alone takes
 * them, and lets them do that alone; every other service refuses them by its own audience check.
 */
export const PASSWORD_CHANGE_AUDIENCE = 'urn:latchkey:password-change';

/** The claims of a user's access token (RFC 9068, section 2.2). Times are epoch seconds. */
export interface AccessTokenClaims {
  iss: string;
  aud: string;
  /** The user's id. */
  sub: string;
  iat: number;
  exp: number;
  jti: string;
  /** The session's id. */
  sid: string;
  username: string;
  roles: string[];
  permissions: string[];
  /** The permissions again, as RFC 6749, section 3.3, writes a scope. */
  scope: string;
  /** How the user proved who they are (RFC 8176), and when. A refresh moves neither. */
  amr: string[];
  auth_time: number;
  device_id?: string;
}

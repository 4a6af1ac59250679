/**
 * The audience of tokens whose owner must change their password first: this service alone takes
 * them, and lets them do that alone; every other service refuses them by its own audience check.
 */
export const PASSWORD_CHANGE_AUDIENCE = 'urn:latchkey:password-change';

/** The same for a session that lacks a second factor which the policy asks for: it was begun before the policy was. */
export const SECOND_FACTOR_AUDIENCE = 'urn:latchkey:second-factor';

/** Audiences of tokens that open nothing anywhere else. */
export const RESTRICTED_AUDIENCES: readonly string[] = [PASSWORD_CHANGE_AUDIENCE, SECOND_FACTOR_AUDIENCE];

/** For so long verifiers and caches may keep the JWKS. */
export const JWKS_MAX_AGE_SECONDS = 300;

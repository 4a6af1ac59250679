/**
 * The audience of tokens whose owner must change their password first: this service alone takes
 * them, and lets them do that alone; every other service refuses them by its own audience check.
 */
export const PASSWORD_CHANGE_AUDIENCE = 'urn:latchkey:password-change';

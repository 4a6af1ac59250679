/**
 * The inventory of audit events: every type that the service writes, and what it tells.
 * A row's `outcome` is `success` (it was done), `failure` (the caller could not prove who they are)
 * or `refused` (they may not, or not now). Rows of `access.refused`,
 * `client.refused`, `client.token_refused` and `registration.refused` that name no session are at most 30 a minute for one
 * network and process; how many more there were, the log says once a minute.
 */
export const auditEventTypes = {
  'user.registered': { outcome: 'success', tells: 'An account was made.' },
  'registration.refused': {
    outcome: 'refused',
    tells:
      'Somebody tried to register a name that is taken; details.reason is username_taken or email_taken, and details.name_hash tells repeats apart.',
  },
  'login.succeeded': { outcome: 'success', tells: 'Somebody signed in; details.amr says how.' },
  'login.failed': {
    outcome: 'failure',
    tells:
      'A sign-in failed; details.reason says why. For a name that nobody has, details.name_hash tells repeats apart.',
  },
  'login.refused': {
    outcome: 'refused',
    tells:
      'A sign-in, or a change of password, was not let on; details.reason is disabled (after a right password) or locked (before any was looked at).',
  },
  'login.locked': {
    outcome: 'failure',
    tells: 'One wrong password too many: the name is locked for this network, browser or session.',
  },
  'login.challenged': {
    outcome: 'success',
    tells: 'A password was right, and a second step was asked for; details.methods says by what.',
  },
  'mfa.totp_set_up': {
    outcome: 'success',
    tells: 'A user began to set up an authenticator app; it does not count yet.',
  },
  'mfa.totp_added': { outcome: 'success', tells: 'An authenticator app is in use; details.name is its name.' },
  'mfa.totp_removed': {
    outcome: 'success',
    tells: 'A user took authenticator apps away; details.count says how many.',
  },
  'mfa.passkey_added': {
    outcome: 'success',
    tells: 'A passkey is in use; details.passkey_id and details.name name it.',
  },
  'mfa.passkey_renamed': { outcome: 'success', tells: 'A passkey got another name; details has both.' },
  'mfa.passkey_removed': { outcome: 'success', tells: 'A user took a passkey away; details.passkey_id names it.' },
  'mfa.recovery_codes_made': {
    outcome: 'success',
    tells: 'A user got a new set of recovery codes; those before count no more.',
  },
  'mfa.recovery_code_used': {
    outcome: 'success',
    tells: 'A recovery code was used up; details.left says how many there are still.',
  },
  'mfa.failed': {
    outcome: 'failure',
    tells: 'A second factor was not right, or another request was first with it; details.method says which.',
  },
  'mfa.locked': {
    outcome: 'failure',
    tells:
      'One wrong code too many: this second factor is locked for browsers that the user is not known by, or for this one.',
  },
  'mfa.refused': {
    outcome: 'refused',
    tells:
      'A second factor was not looked at; details.reason is locked, or token: the sign-in was over, or began in another browser.',
  },
  'mfa.reset': {
    outcome: 'success',
    tells: 'An administrator took all second factors of an account away; details.factors says which.',
  },
  'session.stepped_up': {
    outcome: 'success',
    tells: 'Somebody signed in proved themselves again; details.amr says how.',
  },
  'session.step_up_failed': { outcome: 'failure', tells: 'A step-up named a wrong password.' },
  'device.remembered': {
    outcome: 'success',
    tells: 'A browser skips the second step from now on; details.until says for how long.',
  },
  'device.forgotten': {
    outcome: 'success',
    tells: 'A user took a browser off the list of those they use; details.device_id names it.',
  },
  'account.unlocked': { outcome: 'success', tells: 'An administrator released an account from its locks.' },
  'session.moved': {
    outcome: 'success',
    tells:
      'A session was refreshed, or its last refresh repeated, from another address or agent; details has those before.',
  },
  'session.refresh_recovered': {
    outcome: 'success',
    tells: 'A lost refresh answer was healed on the same device; details.skipped is the number of the lost token.',
  },
  'session.refresh_token_reused': {
    outcome: 'refused',
    tells: 'A spent refresh token came back: somebody holds a copy. The session was ended.',
  },
  'session.refresh_refused': {
    outcome: 'refused',
    tells:
      'A genuine refresh token was not taken; details.reason says why: device (it came from another one), expired or ended (the session), or disabled (the account).',
  },
  'session.ended': { outcome: 'success', tells: 'A session ended; details.reason says why.' },
  'user.tokens_revoked': {
    outcome: 'success',
    tells: 'The access tokens of a user count no more, and their sessions go on; details.reason says why.',
  },
  'token.revoked': { outcome: 'success', tells: 'One access token counts no more; details.jti names it.' },
  'key.generated': {
    outcome: 'success',
    tells:
      'A signing key was made and published; details.kid names it, details.algorithm and details.audience say what for.',
  },
  'key.activated': {
    outcome: 'success',
    tells:
      'A key signs from now on; details.kid names it, details.before the one until then, details.reason why: by_operator, first_start or key_compromised.',
  },
  'key.retired': {
    outcome: 'success',
    tells: 'A key signs no more; details.verifies_until says how long what it signed still counts.',
  },
  'key.exported': { outcome: 'success', tells: 'A shared key was shown on the command line; details.kid names it.' },
  'key.destroyed': {
    outcome: 'success',
    tells: 'The private or shared part of a retired key was destroyed; details.kid names it.',
  },
  'key.compromised': { outcome: 'success', tells: 'What a key signed counts no more; details.kid names it.' },
  'client.created': { outcome: 'success', tells: 'A service got an id and a secret; details.name names it.' },
  'client.changed': {
    outcome: 'success',
    tells: 'What a service may get tokens for was changed; details has each member with what it was and is.',
  },
  'client.secret_added': {
    outcome: 'success',
    tells: 'A service got another secret; details.overlap_hours says for how long the one before stays good.',
  },
  'client.tokens_revoked': {
    outcome: 'success',
    tells: 'The tokens of a service count no more, and it may get others; details.reason says why.',
  },
  'client.token_issued': {
    outcome: 'success',
    tells: 'A service got an access token; details has its jti, scope and audience, and how the service authenticated.',
  },
  'client.token_refused': {
    outcome: 'refused',
    tells: 'A service asked for a token that it may not have; details.error says why.',
  },
  'client.disabled': { outcome: 'success', tells: 'A service may authenticate no more.' },
  'client.refused': {
    outcome: 'failure',
    tells: 'A service named itself with a wrong secret or assertion, or is disabled; details.client_id is the name.',
  },
  'password.changed': { outcome: 'success', tells: 'The password was changed by its owner.' },
  'password.rehashed': {
    outcome: 'success',
    tells: 'A right password was hashed anew at the current cost; details.from is the scheme before.',
  },
  'password.reset': { outcome: 'success', tells: 'A password was chosen by a one-time link; all sessions ended.' },
  'user.created': { outcome: 'success', tells: 'An administrator made an account; details.roles has its roles.' },
  'user.imported': { outcome: 'success', tells: 'An account came from a file; details.import_id names the import.' },
  'users.imported': {
    outcome: 'success',
    tells: 'An import of accounts is done; details has its id, the file’s SHA-256 and format, and how many there were.',
  },
  'user.link_issued': {
    outcome: 'success',
    tells: 'An administrator made a link by which a user chooses a password; details.purpose is invite or reset.',
  },
  'user.changed': {
    outcome: 'success',
    tells: 'An administrator changed an account; details has each member with what it was and is.',
  },
  'user.deleted': { outcome: 'success', tells: 'An account was deleted for good; only its id is left, here.' },
  'user.exported': {
    outcome: 'success',
    tells: 'A user, or the command line, took along what the service knows of them.',
  },
  'user.deletion_asked': { outcome: 'success', tells: 'A user deleted their account; details.at says when it goes.' },
  'user.deletion_cancelled': { outcome: 'success', tells: 'They signed in again before that, so it stays.' },
  'user.deletion_failed': { outcome: 'failure', tells: 'A deletion named a wrong password.' },
  'profile.changed': {
    outcome: 'success',
    tells: 'A user changed their username or e-mail address; details.changed says which.',
  },
  'profile.change_failed': { outcome: 'failure', tells: 'A change of names named a wrong password.' },
  'role.created': { outcome: 'success', tells: 'A role was made; details has its name and permissions.' },
  'role.changed': { outcome: 'success', tells: 'A role allows other things; details has them before and after.' },
  'role.deleted': { outcome: 'success', tells: 'A role was deleted, and taken from whoever had it.' },
  'audit.exported': {
    outcome: 'success',
    tells: 'Somebody began to export this log; details has the format and the filters.',
  },
  'password.change_failed': { outcome: 'failure', tells: 'A change of password named a wrong current one.' },
  'access.refused': {
    outcome: 'refused',
    tells:
      'A request was refused; details has the code (forbidden, csrf_failed, password_change_required, mfa_enrollment_required, step_up_required, token_invalid, token_revoked), method and path.',
  },
} as const satisfies Record<string, { outcome: 'success' | 'failure' | 'refused'; tells: string }>;

export type AuditEventType = keyof typeof auditEventTypes;

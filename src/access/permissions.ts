/**
 * What the service itself asks for, as `area:verb`. Roles may hold others too: tokens carry them, and other services
 * ask for theirs.
 */
export const PERMISSIONS = {
  'users:read': 'See accounts.',
  'users:write': 'Make, change, unlock and delete accounts; take their second factors away.',
  'sessions:read': 'See where others are signed in.',
  'sessions:write': 'End the sessions of others.',
  'roles:read': 'See roles.',
  'roles:write': 'Make, change and delete roles.',
  'clients:read': 'See the services that authenticate as themselves.',
  'clients:write': 'Make, change and disable them.',
  'audit:read': 'Read the audit log.',
  'audit:export': 'Export the audit log.',
  'stats:read': 'See the figures.',
} as const;

export const ADMIN_ROLE = 'admin';

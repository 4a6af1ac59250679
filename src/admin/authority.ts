import { ADMIN_ROLE } from '../access/permissions.js';
import { FORBIDDEN } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';

/** Who administers: somebody signed in, or the command line, which may do everything. */
export interface Administrator {
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly roles: readonly string[];
  readonly permissions: readonly string[] | 'all';
}

/** The command line may do everything. */
export const OPERATOR: Administrator = { userId: null, sessionId: null, roles: [], permissions: 'all' };

export const isAdministrator = ({ permissions, roles }: Administrator): boolean =>
  permissions === 'all' || roles.includes(ADMIN_ROLE);

/**
 * Beyond the permission that a route asks for: nobody but an administrator hands out, or rules over, what they do not have
 * themselves. Else a helper who may write accounts would make themselves, or take over, an administrator.
 * @throws Problem `forbidden`
 */
export function requireAuthority(by: Administrator, needed: readonly string[]): void {
  if (isAdministrator(by)) return;
  const missing = needed.filter((permission) => !by.permissions.includes(permission));
  if (missing.length === 0) return;
  throw new Problem(FORBIDDEN, { detail: `That needs permissions that you do not have: ${missing.join(', ')}.` });
}

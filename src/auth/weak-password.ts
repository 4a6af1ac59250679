import { WEAK_PASSWORD } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { Weakness } from '../passwords/policy/weakness.js';

/** The refusal of a new password: why, and what would help (documented with `weak_password`). */
export const weakPassword = (field: string, { reason, detail, suggestion }: Weakness): Problem =>
  new Problem(WEAK_PASSWORD, {
    detail: `${detail} ${suggestion}`,
    errors: [{ field, message: detail }],
    members: { reason, suggestion },
  });

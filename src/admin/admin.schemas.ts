import { z } from 'zod';

import { roleName } from '../access/role-name.js';
import { page, pageQuery } from '../common/paging.js';
import { secondFactorMethods } from '../common/second-factors.js';
import { text } from '../common/validation.js';
import { attributes } from '../users/attributes.js';
import type { Account } from '../users/users.repository.js';
import { email, username, userResponse } from '../users/users.schemas.js';

export const userId = z.uuid('must be the id of a user').meta({ description: 'The id of a user.' });

const PERMISSION = /^[a-z][a-z0-9_.-]{0,47}:[a-z][a-z0-9_.-]{0,47}$/;

const permissions = z
  .array(text().regex(PERMISSION, 'must be area:verb in lower case, such as users:read'))
  .max(100, 'must be at most 100')
  .transform((list) => [...new Set(list)].toSorted())
  .meta({
    description: 'As area:verb; the service’s own, and any that other services ask for.',
    example: ['articles:write'],
  });

const roles = z
  .array(roleName)
  .max(20, 'must be at most 20')
  .transform((list) => [...new Set(list)].toSorted());

export const usersQuery = pageQuery.extend({
  search: text()
    .min(1, 'must not be empty')
    .max(254, 'must be at most 254 characters long')
    .optional()
    .meta({ description: 'How a username or e-mail address begins.' }),
  role: roleName.optional().meta({ description: 'Whoever has this role.' }),
  is_active: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .meta({ description: 'Whether the account is in use.' }),
});
export type UsersQuery = z.infer<typeof usersQuery>;

export const createUserRequest = z
  .strictObject({ username, email, roles: roles.default(['user']), attributes: attributes.optional() })
  .meta({ id: 'CreateUserRequest' });
export type CreateUserRequest = z.infer<typeof createUserRequest>;

export const changeUserRequest = z
  .strictObject({
    roles: roles.optional(),
    is_active: z.boolean().optional(),
    must_change_password: z.boolean().optional(),
    attributes: attributes.optional(),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'must change something')
  .meta({ id: 'ChangeUserRequest' });
export type ChangeUserRequest = z.infer<typeof changeUserRequest>;

export const adminUser = z
  .strictObject({
    ...userResponse.shape,
    is_active: z.boolean(),
    attributes,
    second_factors: z.array(z.enum(secondFactorMethods)).meta({ example: ['totp'] }),
  })
  .meta({ id: 'AdminUser' });
export type AdminUser = z.infer<typeof adminUser>;

export const adminUserPage = page(adminUser).meta({ id: 'AdminUserPage' });

export const linkResponse = z
  .strictObject({
    token: z.string().meta({
      description: 'For POST /auth/reset-password, once. Shown this once.',
      example: 'Zk3v0m7m0q1m5tq5m3J0d8l2a1c9s4f6h8j0k2l4n6p',
    }),
    purpose: z.enum(['invite', 'reset']),
    expires_at: z.iso.datetime().meta({ example: '2026-02-07T12:00:00.000Z' }),
  })
  .meta({ id: 'OneTimeLink' });
export type LinkResponse = z.infer<typeof linkResponse>;

export const createdUser = z.strictObject({ user: adminUser, link: linkResponse }).meta({ id: 'CreatedUser' });

export const releasedResponse = z
  .strictObject({
    released: z.int().min(0).max(1_000_000).meta({ description: 'How many counters it had.', example: 2 }),
  })
  .meta({ id: 'ReleasedResponse' });

export const roleView = z
  .strictObject({
    name: roleName,
    permissions: z.array(z.string()).meta({ example: ['users:read'] }),
    built_in: z.boolean(),
    created_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
  })
  .meta({ id: 'Role' });

export const roleList = z
  .strictObject({
    items: z.array(roleView),
    next_cursor: z.null(),
    known_permissions: z
      .record(z.string(), z.string())
      .meta({ description: 'What the service itself asks for.', example: { 'users:read': 'See accounts.' } }),
  })
  .meta({ id: 'RoleList' });

export const createRoleRequest = z.strictObject({ name: roleName, permissions }).meta({ id: 'CreateRoleRequest' });
export type CreateRoleRequest = z.infer<typeof createRoleRequest>;

export const changeRoleRequest = z.strictObject({ permissions }).meta({ id: 'ChangeRoleRequest' });
export type ChangeRoleRequest = z.infer<typeof changeRoleRequest>;

const count = z.int().min(0);

export const statsResponse = z
  .strictObject({
    users: z.strictObject({ total: count, active: count, with_second_factor: count, administrators: count }),
    sessions: z.strictObject({ live: count, seen_last_day: count }),
    last_day: z
      .strictObject({ sign_ins: count, failed_sign_ins: count, locks: count, registrations: count })
      .meta({ description: 'Of the last 24 hours.' }),
  })
  .meta({ id: 'Stats' });

export const toAdminUser = (account: Account): AdminUser => ({
  id: account.id,
  username: account.username,
  email: account.email,
  email_verified: account.email_verified_at !== null,
  roles: account.roles,
  permissions: account.permissions,
  must_change_password: account.must_change_password,
  is_active: account.is_active,
  attributes: account.attributes,
  second_factors: account.second_factors,
  created_at: account.created_at.toISOString(),
});

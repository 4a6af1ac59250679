import type { Account } from '../users/users.repository.js';
import type { UserResponse } from '../users/users.schemas.js';

/** What an answer says of an account. */
export const toUserResponse = (account: Account): UserResponse => ({
  id: account.id,
  username: account.username,
  email: account.email,
  email_verified: account.email_verified_at !== null,
  roles: account.roles,
  permissions: account.permissions,
  must_change_password: account.must_change_password,
  created_at: account.created_at.toISOString(),
});

import { newId } from '../common/ids.js';
import { canonicalName } from './canonical-name.js';
import type { User } from './user.entity.js';

/** What is said of an account when it is made; the rest of {@link User} begins the same for everybody. */
type Given = Pick<User, 'username' | 'email' | 'passwordHash' | 'roles'> &
  Partial<Pick<User, 'mustChangePassword' | 'attributes'>>;

/** An account that is made `now`: in use, without second factors, its address not verified. */
export function newUser(given: Given, now: Date): User {
  return {
    id: newId(now),
    usernameCanonical: canonicalName(given.username),
    emailCanonical: canonicalName(given.email),
    emailVerifiedAt: null,
    passwordChangedAt: now,
    isActive: true,
    mustChangePassword: false,
    secondFactors: [],
    attributes: {},
    cutOffAt: null,
    tokensValidFrom: null,
    deleteAt: null,
    createdAt: now,
    updatedAt: now,
    ...given,
  };
}

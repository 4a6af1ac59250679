import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import type { SecondFactorMethod } from '../common/second-factors.js';
import { Database, type Statement, uniqueViolation } from '../database/database.js';
import type { Attributes } from './attributes.js';
import { canonicalName, isEmail } from './canonical-name.js';
import { User } from './user.entity.js';

/** An account with what its roles allow: all that a token or an answer says of it. */
export interface Account {
  id: string;
  username: string;
  email: string;
  email_verified_at: Date | null;
  password_hash: string;
  roles: string[];
  permissions: string[];
  is_active: boolean;
  must_change_password: boolean;
  /** The ways to prove more than the password that there are now. */
  second_factors: SecondFactorMethod[];
  attributes: Attributes;
  /** When it is deleted, unless its owner signs in before. */
  delete_at?: Date | null;
  /** As PostgreSQL writes it, to the microsecond. */
  password_changed_at?: string;
  created_at: Date;
}

/** What a look for a name finds: an account, or a row without an id. */
export type FoundAccount = Omit<Account, 'id'> & { id: string | null };

export const isAccount = (found: FoundAccount): found is Account => found.id !== null;

/** The permissions of the roles in `roles`, sorted: for use inside other statements. */
export const permissionsOf = (roles: string): string =>
  `array(select distinct permission from roles r, unnest(r.permissions) permission where r.name = any(${roles}) order by permission)`;

const ACCOUNT = `
  select u.id, u.username, u.email, u.email_verified_at, u.password_hash, u.roles, u.is_active,
         u.must_change_password, u.second_factors, u.attributes, u.delete_at, u.password_changed_at::text as password_changed_at, u.created_at, ${permissionsOf('u.roles')} as permissions
    from users u`;

/** Any constant: an advisory lock. */
const HOLDERS_LOCK = 7_205_759_405;

/** Which accounts: by how a name begins, by role, by state. */
export interface AccountFilter {
  search?: string;
  role?: string;
  is_active?: boolean;
}

const LIST = `${ACCOUNT}
 where ($1::text is null or u.username_canonical like $1 or u.email_canonical like $1)
   and ($2::text is null or u.roles @> array[$2])
   and ($3::boolean is null or u.is_active = $3)
   and ($4::uuid is null or u.id < $4)
 order by u.id desc limit $5`;

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

const FIND_BY_ID: Statement = { name: 'account-by-id', text: `${ACCOUNT} where u.id = $1` };

/**
 * The account whose canonical name is `$1`. One row in any case: for a name that nobody has, one without an id that costs
 * as much to find, to send and to read, so that the time of a sign-in does not tell.
 */
export const accountByName = (column: 'username_canonical' | 'email_canonical'): string => `
  select u.id, coalesce(u.username, $1) as username, coalesce(u.email, $1) as email, u.email_verified_at,
         coalesce(u.password_hash, repeat('-', 97)) as password_hash, coalesce(u.roles, '{user}') as roles,
         coalesce(u.is_active, true) as is_active, coalesce(u.must_change_password, false) as must_change_password,
         coalesce(u.second_factors, '{}') as second_factors, coalesce(u.attributes, '{}') as attributes, u.delete_at,
         coalesce(u.password_changed_at, now())::text as password_changed_at, coalesce(u.created_at, now()) as created_at,
         ${permissionsOf("coalesce(u.roles, '{user}')")} as permissions
    from (select) asked left join users u on u.${column} = $1`;

const FIND_BY_USERNAME: Statement = { name: 'account-by-username', text: accountByName('username_canonical') };
const FIND_BY_EMAIL: Statement = { name: 'account-by-email', text: accountByName('email_canonical') };

const PERMISSIONS_OF_ROLES: Statement = {
  name: 'permissions-of-roles',
  text: `select ${permissionsOf('$1::text[]')} as permissions`,
};

const RENAME = `
  update users
     set username = coalesce($2::text, username), username_canonical = coalesce($3::text, username_canonical),
         email_verified_at = case when $5::text is null or $5 = email_canonical then email_verified_at end,
         email = coalesce($4::text, email), email_canonical = coalesce($5, email_canonical), updated_at = $6
   where id = $1`;

/** Which name a unique index refused. The unique indexes decide, not a look beforehand. */
function takenName(error: unknown): 'username_taken' | 'email_taken' {
  switch (uniqueViolation(error)) {
    case 'users_username_canonical_key':
      return 'username_taken';
    case 'users_email_canonical_key':
      return 'email_taken';
    default:
      throw error;
  }
}

/** The tables `users` and, for permissions, `roles`. */
@Injectable()
export class UsersRepository {
  constructor(private readonly database: Database) {}

  async findById(id: string, tx?: EntityManager): Promise<Account | null> {
    const found = tx
      ? await tx.query<Account[]>(FIND_BY_ID.text, [id])
      : await this.database.run<Account>(FIND_BY_ID, [id]);
    return found[0] ?? null;
  }

  /** By canonical username, or by canonical e-mail address where it is one. */
  async findByCanonicalName(name: string): Promise<Account | null> {
    const statement = isEmail(name) ? FIND_BY_EMAIL : FIND_BY_USERNAME;
    const [found] = await this.database.run<FoundAccount>(statement, [name]);
    return isAccount(found) ? found : null;
  }

  /** Accounts, newest first, from before the account `before` on. */
  async list(filter: AccountFilter, limit: number, before: string | null): Promise<Account[]> {
    const { search, role, is_active: isActive } = filter;
    const prefix = search === undefined ? null : `${escapeLike(canonicalName(search))}%`;
    return this.database.manager.query<Account[]>(LIST, [prefix, role ?? null, isActive ?? null, before, limit]);
  }

  /** Holds the account's row until `tx` is over. */
  async lock(tx: EntityManager, id: string): Promise<void> {
    await tx.query('select from users where id = $1 for no key update', [id]);
  }

  /** Changes what is given. */
  async change(
    tx: EntityManager,
    id: string,
    change: { roles?: string[]; is_active?: boolean; must_change_password?: boolean; attributes?: Attributes },
    now: Date,
  ): Promise<void> {
    const { roles, is_active: isActive, must_change_password: mustChangePassword, attributes } = change;
    const given = Object.entries({ roles, isActive, mustChangePassword, attributes }).filter(
      ([, value]) => value !== undefined,
    );
    await tx.update(User, { id }, { ...Object.fromEntries(given), updatedAt: now });
  }

  /** Brings `second_factors` up to date with the factors' tables, under the row's lock; returns it. */
  async refreshSecondFactors(tx: EntityManager, id: string): Promise<SecondFactorMethod[]> {
    const [{ methods }] = await tx.query<[{ methods: SecondFactorMethod[] }]>(
      'select refresh_second_factors($1) as methods',
      [id],
    );
    return methods;
  }

  /** Lets those who may take a role's last holder away come one after the other, until `tx` is over. */
  async lockHolders(tx: EntityManager): Promise<void> {
    await tx.query('select pg_advisory_xact_lock($1)', [HOLDERS_LOCK]);
  }

  /** Whether anybody whose account is in use has the role. */
  async isHeld(tx: EntityManager, role: string): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      'select 1 from users where is_active and delete_at is null and roles @> array[$1] limit 1',
      [role],
    );
    return rows.length > 0;
  }

  /** Whether anybody has the role, whatever the state of their account. */
  async isGiven(role: string, tx: EntityManager = this.database.manager): Promise<boolean> {
    return (await tx.query<unknown[]>('select 1 from users where roles @> array[$1] limit 1', [role])).length > 0;
  }

  /** Takes a role from whoever has it. Returns how many had it. */
  async takeRole(tx: EntityManager, name: string, now: Date): Promise<number> {
    const [, count] = await tx.query<[unknown, number]>(
      'update users set roles = array_remove(roles, $1), updated_at = $2 where roles @> array[$1]',
      [name, now],
    );
    return count;
  }

  /** Who has a role and a live session, in the order in which users are locked. */
  async listSignedInWithRole(tx: EntityManager, name: string, now: Date): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `select id from users u where roles @> array[$1]
          and exists (select from sessions s where s.user_id = u.id and s.ended_at is null and s.expires_at > $2)
        order by id`,
      [name, now],
    );
    return rows.map(({ id }) => id);
  }

  /** Changes names; says which one is taken where one is. An address that is new is not verified. */
  async rename(
    tx: EntityManager,
    id: string,
    { username, email }: { username?: string; email?: string },
    now: Date,
  ): Promise<'renamed' | 'username_taken' | 'email_taken'> {
    try {
      await tx.query(RENAME, [
        id,
        username ?? null,
        username === undefined ? null : canonicalName(username),
        email ?? null,
        email === undefined ? null : canonicalName(email),
        now,
      ]);
      return 'renamed';
    } catch (error) {
      return takenName(error);
    }
  }

  /** Notes when the account is to be deleted; null: not at all. */
  async deleteLater(tx: EntityManager, id: string, at: Date | null): Promise<void> {
    await tx.update(User, { id }, { deleteAt: at });
  }

  /** Accounts whose time has come, held until `tx` is over. */
  async holdThoseToDelete(tx: EntityManager, now: Date, limit: number): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      'select id from users where delete_at <= $1 order by delete_at limit $2 for update skip locked',
      [now, limit],
    );
    return rows.map(({ id }) => id);
  }

  /** Deletes the account and all that hangs on it. */
  async remove(tx: EntityManager, id: string): Promise<void> {
    await tx.delete(User, { id });
  }

  /** What `roles` allow together, sorted. */
  async permissionsOfRoles(roles: string[]): Promise<string[]> {
    return (await this.database.run<{ permissions: string[] }>(PERMISSIONS_OF_ROLES, [roles]))[0].permissions;
  }

  /** Adds an account; says which name is taken where one is. The unique indexes decide, not a look beforehand. */
  async insert(tx: EntityManager, user: User): Promise<'inserted' | 'username_taken' | 'email_taken'> {
    try {
      await tx.insert(User, user);
      return 'inserted';
    } catch (error) {
      return takenName(error);
    }
  }

  /** Puts a hash of the same password in the old one's place; false where another change came first. */
  async upgradePasswordHash(tx: EntityManager, id: string, oldHash: string, newHash: string): Promise<boolean> {
    return (await tx.update(User, { id, passwordHash: oldHash }, { passwordHash: newHash })).affected === 1;
  }

  /** Sets a password's hash, whatever was there. */
  async setPasswordHash(tx: EntityManager, id: string, passwordHash: string, now: Date): Promise<void> {
    await tx.update(User, { id }, { passwordHash, passwordChangedAt: now, mustChangePassword: false, updatedAt: now });
  }

  /** Puts a new password's hash in the old one's place; false where another change came first. */
  async replacePasswordHash(
    tx: EntityManager,
    id: string,
    oldHash: string,
    newHash: string,
    now: Date,
  ): Promise<boolean> {
    const { affected } = await tx.update(
      User,
      { id, passwordHash: oldHash },
      { passwordHash: newHash, passwordChangedAt: now, mustChangePassword: false, updatedAt: now },
    );
    return affected === 1;
  }
}

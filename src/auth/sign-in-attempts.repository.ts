import { Injectable } from '@nestjs/common';

import { Database, type Statement } from '../database/database.js';
import { Lockout } from '../protection/lockout.js';
import { countAttempt, type CountedAttempt } from '../protection/lockout.repository.js';
import { isKnownDevice } from '../sessions/devices.repository.js';
import { isEmail } from '../users/canonical-name.js';
import { type Account, accountByName, type FoundAccount, isAccount } from '../users/users.repository.js';

/** A sign-in that was counted, before its password is looked at. */
export interface CountedSignIn {
  /** Whose name it is; null where nobody has it. */
  readonly account: Account | null;
  /** Whether the browser is one that this user signed in with before. */
  readonly fromKnownBrowser: boolean;
  /** Until then this browser skips the second step, if its user asked so. */
  readonly rememberedUntil: Date | null;
  readonly counted: CountedAttempt;
}

type CountedRow = FoundAccount & CountedAttempt & { from_known_browser: boolean; remembered_until: Date | null };

/**
 * Reads the account and counts the attempt in one round trip, the same for a name that nobody has. A known browser counts
 * for itself, everything else by its network.
 */
const count = (column: Parameters<typeof accountByName>[0]): string => `
  select found.*, counted.*
    from (select account.*, device.id is not null as from_known_browser, device.remembered_until
            from (${accountByName(column)}) account left join user_devices device on ${isKnownDevice('device', 'account.id', '$3::uuid')}) found,
         ${countAttempt('coalesce(uuid_send(found.id), $2)', 'case when found.from_known_browser then $5::bytea else $4::bytea end', 'found.from_known_browser', 6)} counted`;

const COUNT_BY_USERNAME: Statement = { name: 'sign-in-count-by-username', text: count('username_canonical') };
const COUNT_BY_EMAIL: Statement = { name: 'sign-in-count-by-email', text: count('email_canonical') };

/** Attempts to sign in, as they are counted. */
@Injectable()
export class SignInAttempts {
  constructor(
    private readonly database: Database,
    private readonly lockout: Lockout,
  ) {}

  /** @param name canonical. @param deviceKey the browser's name, if it shows one */
  async count(name: string, deviceKey: string | null, ip: string): Promise<CountedSignIn> {
    const [row] = await this.database.run<CountedRow>(isEmail(name) ? COUNT_BY_EMAIL : COUNT_BY_USERNAME, [
      name,
      this.lockout.nameKey(name),
      deviceKey,
      this.lockout.placeKey({ ip }),
      deviceKey && this.lockout.placeKey({ deviceKey }),
      ...this.lockout.parameters(),
    ]);
    return {
      account: isAccount(row) ? row : null,
      fromKnownBrowser: row.from_known_browser,
      rememberedUntil: row.remembered_until,
      counted: row,
    };
  }
}

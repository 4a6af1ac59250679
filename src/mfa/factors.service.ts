import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import type { Principal } from '../common/principal.js';
import {
  MFA_ENROLLMENT_REQUIRED,
  NOT_FOUND,
  TOO_MANY_FACTORS,
  VALIDATION_FAILED,
} from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { MULTI_FACTOR, type SecondFactorMethod, SecondFactorPolicy, SERVICE_NAME } from '../common/second-factors.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { DevicesRepository } from '../sessions/devices.repository.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { UsersRepository } from '../users/users.repository.js';
import type { NewPasskey } from './mfa.schemas.js';
import { Passkey } from './passkey.entity.js';
import { amrOf, Passkeys } from './passkeys.js';
import { PasskeysRepository } from './passkeys.repository.js';
import { RecoveryCodes } from './recovery-codes.repository.js';
import { type Prover, SecondFactors } from './second-factors.js';
import { SeedCipher } from './seed-cipher.js';
import type { TotpAuthenticator } from './totp-authenticator.entity.js';
import { matchStep, newSeed, present } from './totp.js';
import { SET_UP_SECONDS, TotpRepository } from './totp.repository.js';

const MAX_OF_A_KIND = 10;

/** Whose factors change: also the user of the audit rows, and who did it. */
export interface Owner {
  readonly userId: string;
  readonly username: string;
  /** Null before there is a session. */
  readonly sessionId: string | null;
}

/** What a new factor brings: the recovery codes, with the first one; none later, since those shown before still count. */
export interface AddedFactor {
  readonly recoveryCodes: string[];
}

/** A user's own second factors: set up, named, listed, taken away. */
@Injectable()
export class FactorsService {
  constructor(
    private readonly database: Database,
    private readonly totp: TotpRepository,
    private readonly passkeys: Passkeys,
    private readonly passkeyRows: PasskeysRepository,
    private readonly recoveryCodes: RecoveryCodes,
    private readonly secondFactors: SecondFactors,
    private readonly devices: DevicesRepository,
    private readonly sessions: SessionsRepository,
    private readonly users: UsersRepository,
    private readonly policy: SecondFactorPolicy,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    private readonly cipher: SeedCipher,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** All that a user may see of their factors. */
  async list(userId: string): Promise<{ totp: TotpAuthenticator[]; passkeys: Passkey[]; recoveryCodesLeft: number }> {
    const [totp, passkeys, recoveryCodesLeft] = await Promise.all([
      this.totp.listConfirmed(userId),
      this.passkeyRows.list(userId),
      this.recoveryCodes.countLeft(userId),
    ]);
    return { totp, passkeys, recoveryCodesLeft };
  }

  /** Makes a seed and shows it, this once; it counts when it is confirmed. @throws Problem `too_many_factors` */
  async setUpTotp(owner: Owner, name: string, source: RequestSource) {
    const { userId, username } = owner;
    const now = this.clock.now();
    const id = newId(now);
    const seed = newSeed();
    await this.database.transaction(async (tx) => {
      await this.users.lock(tx, userId);
      if ((await this.totp.listConfirmed(userId, tx)).length >= MAX_OF_A_KIND) throw new Problem(TOO_MANY_FACTORS);
      await this.totp.setUp(tx, id, userId, name, this.cipher.seal(seed, userId), now);
      await this.audit.record(tx, { ...whoOf(owner), type: 'mfa.totp_set_up', details: { name } }, source);
    });
    return { id, ...(await present(seed, SERVICE_NAME, username)) };
  }

  /**
   * Puts the authenticator in use that was set up last, by its first code.
   * @param then What is to happen in the same transaction; null undoes all.
   * @throws Problem `mfa_invalid`, `account_locked`
   */
  confirmTotp<T>(
    owner: Owner,
    prover: Prover,
    code: string,
    source: RequestSource,
    then: (tx: EntityManager, added: AddedFactor, amr: string[]) => Promise<T | null>,
  ): Promise<T> {
    return this.secondFactors.counted(prover, 'totp', source, async (tx) => {
      const now = this.clock.now();
      const pending = await this.totp.findUnconfirmed(
        tx,
        owner.userId,
        new Date(now.getTime() - SET_UP_SECONDS * 1000),
      );
      const seed = pending && this.cipher.open(pending, owner.userId);
      const step = seed && (await matchStep(seed, code, now, this.config.mfa.totpWindow, Number(pending.lastStep)));
      if (!pending || step === null || !(await this.totp.confirm(tx, pending.id, step, now))) return null;
      const details = { totp_id: pending.id, name: pending.name };
      await this.audit.record(tx, { ...whoOf(owner), type: 'mfa.totp_added', details }, source);
      return then(tx, await this.added(tx, owner, source), ['otp', MULTI_FACTOR]);
    });
  }

  /** As {@link confirmTotp}, for whoever is signed in: their session has proven the factor. Returns the recovery codes. */
  confirmOwnTotp(user: Principal, deviceKey: string | null, code: string, source: RequestSource): Promise<string[]> {
    const { userId, sessionId } = user;
    return this.confirmTotp(user, { ...user, deviceKey }, code, source, async (tx, { recoveryCodes }, amr) => {
      const renewed = await this.sessions.renew(tx, sessionId, userId, amr, this.clock.now());
      return renewed && recoveryCodes;
    });
  }

  passkeyOptions(owner: Owner) {
    return this.passkeys.creationOptions(owner, registrationUse(owner));
  }

  /** @throws Problem `validation_failed` where the answer is not right, `too_many_factors` */
  async addPasskey(owner: Principal, { name, response }: NewPasskey, source: RequestSource) {
    return this.database.transaction(async (tx) => {
      await this.users.lock(tx, owner.userId);
      if ((await this.passkeyRows.list(owner.userId, tx)).length >= MAX_OF_A_KIND) throw new Problem(TOO_MANY_FACTORS);
      const passkey = await this.passkeys.register(tx, owner.userId, name, response, registrationUse(owner));
      if (!passkey) {
        const message = 'is not an answer to a challenge of ours that is still good, or the passkey is known already';
        throw new Problem(VALIDATION_FAILED, { errors: [{ field: 'response', message }] });
      }
      const details = { passkey_id: passkey.id, name };
      await this.audit.record(tx, { ...whoOf(owner), type: 'mfa.passkey_added', details }, source);
      // Whoever made it has it in hand: their session has proven it.
      await this.sessions.renew(tx, owner.sessionId, owner.userId, amrOf(passkey), this.clock.now());
      return { passkey, ...(await this.added(tx, owner, source)) };
    });
  }

  /** @throws Problem `not_found` */
  async renamePasskey(owner: Owner, id: string, name: string, source: RequestSource): Promise<void> {
    await this.database.transaction(async (tx) => {
      const before = (await this.passkeyRows.list(owner.userId, tx)).find((passkey) => passkey.id === id);
      if (!before || !(await this.passkeyRows.rename(tx, owner.userId, id, name))) throw new Problem(NOT_FOUND);
      const details = { passkey_id: id, name, name_before: before.name };
      await this.audit.record(tx, { ...whoOf(owner), type: 'mfa.passkey_renamed', details }, source);
    });
  }

  /** @throws Problem `not_found`, `mfa_enrollment_required` where the policy needs the last one */
  async removePasskey(owner: Owner, id: string, source: RequestSource): Promise<void> {
    await this.database.transaction(async (tx) => {
      await this.users.lock(tx, owner.userId);
      if ((await this.passkeyRows.remove(tx, owner.userId, id)) === 0) throw new Problem(NOT_FOUND);
      const details = { passkey_id: id };
      await this.audit.record(tx, { ...whoOf(owner), type: 'mfa.passkey_removed', details }, source);
      await this.removed(tx, owner);
    });
  }

  /** Removes one authenticator, or all, within `tx`. @throws as {@link removePasskey} */
  async removeTotp(tx: EntityManager, owner: Owner, id: string | undefined, source: RequestSource): Promise<void> {
    const count = await this.totp.remove(tx, owner.userId, id);
    if (count === 0) throw new Problem(NOT_FOUND);
    await this.audit.record(tx, { ...whoOf(owner), type: 'mfa.totp_removed', details: { count } }, source);
    await this.removed(tx, owner);
  }

  /** A new set of recovery codes. @throws Problem `mfa_enrollment_required` where there is no other factor yet */
  renewRecoveryCodes(owner: Owner, source: RequestSource): Promise<string[]> {
    return this.database.transaction(async (tx) => {
      const methods = await this.users.refreshSecondFactors(tx, owner.userId);
      if (methods.length === 0) {
        throw new Problem(MFA_ENROLLMENT_REQUIRED, { detail: 'Set up an authenticator app or a passkey first.' });
      }
      return this.makeRecoveryCodes(tx, owner, source);
    });
  }

  /** Takes all factors of a user away, within `tx`; returns which there were. The caller audits it. */
  async reset(tx: EntityManager, userId: string): Promise<SecondFactorMethod[]> {
    const before = await this.users.refreshSecondFactors(tx, userId);
    await this.totp.remove(tx, userId);
    await this.totp.removeUnconfirmed(tx, userId);
    await this.passkeyRows.remove(tx, userId);
    await this.forgetRest(tx, userId);
    return before;
  }

  private async added(tx: EntityManager, owner: Owner, source: RequestSource): Promise<AddedFactor> {
    await this.users.refreshSecondFactors(tx, owner.userId); // locks the user: two first factors at once make one set
    if (await this.recoveryCodes.exist(tx, owner.userId)) return { recoveryCodes: [] };
    return { recoveryCodes: await this.makeRecoveryCodes(tx, owner, source) };
  }

  private async removed(tx: EntityManager, owner: Owner): Promise<void> {
    if ((await this.users.refreshSecondFactors(tx, owner.userId)).length > 0) return;
    // By the roles of now, whatever the token says.
    if (this.policy.demandsOf((await this.users.findById(owner.userId, tx))?.roles ?? [])) {
      throw new Problem(MFA_ENROLLMENT_REQUIRED, {
        detail: 'Your account must have a second factor. Add another one before you take the last one away.',
      });
    }
    await this.forgetRest(tx, owner.userId);
  }

  /** Without a factor, recovery codes and remembered browsers mean nothing, and must mean nothing to the next factor. */
  private async forgetRest(tx: EntityManager, userId: string): Promise<void> {
    await this.recoveryCodes.removeAll(tx, userId);
    await this.devices.forgetRemembered(tx, userId);
    await this.users.refreshSecondFactors(tx, userId);
  }

  private async makeRecoveryCodes(tx: EntityManager, owner: Owner, source: RequestSource): Promise<string[]> {
    const codes = await this.recoveryCodes.replace(tx, owner.userId, this.clock.now());
    await this.users.refreshSecondFactors(tx, owner.userId);
    await this.audit.record(tx, { ...whoOf(owner), type: 'mfa.recovery_codes_made' }, source);
    return codes;
  }
}

const whoOf = ({ userId, sessionId }: Owner) => ({ userId, actorId: userId, sessionId });

const registrationUse = ({ userId, sessionId }: Owner): string => `register|${userId}|${sessionId ?? ''}`;

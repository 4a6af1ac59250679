import { Inject, Injectable } from '@nestjs/common';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import { ACCOUNT_LOCKED, MFA_INVALID } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { MULTI_FACTOR, type SecondFactorMethod } from '../common/second-factors.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import { type AdmittedAttempt, Lockout } from '../protection/lockout.js';
import { UsersRepository } from '../users/users.repository.js';
import { amrOf, Passkeys } from './passkeys.js';
import { RecoveryCodes } from './recovery-codes.repository.js';
import { SeedCipher } from './seed-cipher.js';
import { looksLikeTotp, matchStep } from './totp.js';
import { TotpRepository } from './totp.repository.js';

/** What somebody shows: a code, or a passkey's answer to the challenge that was issued for `use`. */
export type Proof =
  | { readonly method: 'totp' | 'recovery_code'; readonly code: string }
  | { readonly method: 'passkey'; readonly response: AuthenticationResponseJSON; readonly use: string };

/** Whose proof it is, and where from. */
export interface Prover {
  readonly userId: string;
  readonly sessionId?: string;
  /** The browser, if the user is known by it: it is counted for itself, as a session is where there is none. */
  readonly deviceKey: string | null;
}

/** The kind of a code whose sender does not say. */
export const methodOfCode = (code: string): 'totp' | 'recovery_code' =>
  looksLikeTotp(code) ? 'totp' : 'recovery_code';

/** Proofs by a second factor: each is counted before it is looked at, and each counts once. */
@Injectable()
export class SecondFactors {
  constructor(
    private readonly database: Database,
    private readonly totp: TotpRepository,
    private readonly recoveryCodes: RecoveryCodes,
    private readonly passkeys: Passkeys,
    private readonly users: UsersRepository,
    private readonly lockout: Lockout,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    private readonly cipher: SeedCipher,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Checks a proof and does in the same transaction what it is for: both happen, or neither. Wrong ones are counted by user
   * and method, whatever else the caller counts; known browsers for themselves.
   * @param then Gets the `amr` values of the proof (RFC 8176). Null undoes all: something else came first.
   * @throws Problem `mfa_invalid`, `account_locked`
   */
  async prove<T>(
    prover: Prover,
    proof: Proof,
    source: RequestSource,
    then: (tx: EntityManager, amr: string[]) => Promise<T | null>,
  ): Promise<T> {
    return this.counted(prover, proof.method, source, async (tx) => {
      const amr = await this.check(tx, prover, proof, source);
      return amr && then(tx, amr);
    });
  }

  /** As {@link prove}, for whatever else is a proof of `method`: `work` says null where it is wrong. */
  async counted<T>(
    { userId, sessionId, deviceKey }: Prover,
    method: SecondFactorMethod,
    source: RequestSource,
    work: (tx: EntityManager) => Promise<T | null>,
  ): Promise<T> {
    const who = { userId, sessionId };
    // A signature cannot be guessed, so counting would only keep its owner out.
    const attempt = method === 'passkey' ? null : await this.admit(who, method, deviceKey ?? sessionId ?? null, source);
    const outcome = await this.database
      .transaction(async (tx) => {
        await this.users.lock(tx, userId); // before any row of theirs, as all that changes factors does
        const done = await work(tx);
        if (done === null) throw new Undone();
        if (attempt) await this.lockout.succeed(tx, attempt);
        return { done };
      })
      .catch(async (error: unknown) => {
        if (error instanceof Undone) return null;
        if (attempt) await this.lockout.retract(attempt); // the proof was not what failed
        throw error;
      });
    if (outcome) return outcome.done;
    await this.audit.recordAlone({ ...who, type: 'mfa.failed', details: { method } }, source);
    if (attempt?.locks) await this.audit.recordAlone({ ...who, type: 'mfa.locked', details: { method } }, source);
    throw new Problem(MFA_INVALID);
  }

  private async admit(
    who: { userId: string; sessionId?: string },
    method: SecondFactorMethod,
    place: string | null,
    source: RequestSource,
  ): Promise<AdmittedAttempt> {
    try {
      return await this.lockout.admit(who.userId, { factor: method, of: place });
    } catch (error) {
      if (error instanceof Problem && error.type === ACCOUNT_LOCKED)
        await this.audit.recordAlone({ ...who, type: 'mfa.refused', details: { method, reason: 'locked' } }, source);
      throw error;
    }
  }

  /** The `amr` values of a right proof; null for a wrong one. */
  private async check(
    tx: EntityManager,
    { userId, sessionId }: Prover,
    proof: Proof,
    source: RequestSource,
  ): Promise<string[] | null> {
    switch (proof.method) {
      case 'totp':
        return (await this.spendTotp(tx, userId, proof.code)) ? ['otp', MULTI_FACTOR] : null;
      case 'recovery_code': {
        if (!(await this.recoveryCodes.spend(tx, userId, proof.code, this.clock.now()))) return null;
        await this.users.refreshSecondFactors(tx, userId);
        const left = await this.recoveryCodes.countLeft(userId, tx);
        const who = { userId, actorId: userId, sessionId };
        await this.audit.record(tx, { ...who, type: 'mfa.recovery_code_used', details: { left } }, source);
        return ['otp', MULTI_FACTOR];
      }
      case 'passkey': {
        const used = await this.passkeys.authenticate(tx, userId, proof.response, proof.use);
        return used && amrOf(used);
      }
    }
  }

  private async spendTotp(tx: EntityManager, userId: string, code: string): Promise<boolean> {
    const now = this.clock.now();
    for (const { id, keyId, seed, lastStep } of await this.totp.listConfirmed(userId, tx)) {
      const opened = this.cipher.open({ keyId, seed }, userId);
      const step = opened && (await matchStep(opened, code, now, this.config.mfa.totpWindow, Number(lastStep)));
      if (step === null) continue;
      // Under the key of today, whatever it was before.
      const sealed = keyId === this.cipher.keyId ? { keyId, seed } : this.cipher.seal(opened!, userId);
      return this.totp.spend(tx, id, step, sealed, now);
    }
    return false;
  }
}

/** Rolls a transaction back whose proof was wrong. */
class Undone extends Error {}

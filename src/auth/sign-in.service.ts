import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import type { HashPlace } from '../common/hash-gate.js';
import {
  ACCOUNT_DISABLED,
  ACCOUNT_LOCKED,
  INVALID_CREDENTIALS,
  MFA_ENROLLMENT_REQUIRED,
} from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { SecondFactorPolicy } from '../common/second-factors.js';
import type { HalfWayPurpose } from '../mfa/half-way-sign-ins.repository.js';
import { PasswordHasher, type Rehashed } from '../passwords/password-hasher.js';
import { type AdmittedAttempt, Lockout } from '../protection/lockout.js';
import type { CountedAttempt } from '../protection/lockout.repository.js';
import { type DeviceEvidence, deviceOfSession } from '../sessions/device.js';
import { canonicalName } from '../users/canonical-name.js';
import { type Account, UsersRepository } from '../users/users.repository.js';
import type { LoginRequest } from './auth.schemas.js';
import { NewSessions } from './new-sessions.js';
import { SecondStepService } from './second-step.service.js';
import { SignInAttempts } from './sign-in-attempts.repository.js';
import type { SignedIn, SignedInHalfWay, SignInOrigin } from './signed-in.js';

/** What every audit row of one attempt shares: the account, or a name that nobody has. */
type Attempted = { userId?: string; details: Record<string, unknown> };

/** An account whose password was right, the attempt that showed it, and the device as its session is to know it. */
interface Proven {
  account: Account;
  attempt: AdmittedAttempt;
  device: DeviceEvidence;
  /** The browser, if the user is known by it. */
  knownAs: string | null;
  /** Whether this browser skips the second step. */
  skips: boolean;
}

/** Signs people in by name and password. */
@Injectable()
export class SignInService {
  constructor(
    private readonly users: UsersRepository,
    private readonly attempts: SignInAttempts,
    private readonly newSessions: NewSessions,
    private readonly secondSteps: SecondStepService,
    private readonly hasher: PasswordHasher,
    private readonly lockout: Lockout,
    private readonly audit: AuditLog,
    private readonly policy: SecondFactorPolicy,
  ) {}

  /**
   * Checks the password, and begins a session or the second step. An unknown name costs the same work and gets the
   * same answer as a wrong password. No connection is held while the hash is computed.
   * @throws Problem `invalid_credentials`, `account_disabled`, `account_locked`, `mfa_enrollment_required`, `overloaded`
   */
  async signIn({ username, password }: LoginRequest, origin: SignInOrigin): Promise<SignedIn | SignedInHalfWay> {
    const place = this.hasher.reserve();
    try {
      const proven = await this.prove(username, password, place, origin);
      const rehashed = await this.hasher.rehash(password, proven.account.password_hash, place);
      return await this.goOn(proven, rehashed, origin);
    } finally {
      place.leave();
    }
  }

  /** Finds out whose name it is and whether the password is theirs. */
  private async prove(
    username: string,
    password: string,
    place: HashPlace,
    { device, source }: SignInOrigin,
  ): Promise<Proven> {
    const name = canonicalName(username);
    const { account, fromKnownBrowser, rememberedUntil, counted } = await this.attempts.count(
      name,
      device.deviceKey,
      source.ip,
    );
    const nameHash = this.audit.hashName(name); // for known names as well: the time must not tell
    const attempted: Attempted = account ? { userId: account.id, details: {} } : { details: { name_hash: nameHash } };
    const attempt = await this.admit(counted, attempted, source);

    const fits = await this.verify(password, account, attempt, place);
    if (!account || !fits) return this.fail(attempted, attempt, account ? 'wrong_password' : 'unknown_name', source);
    if (!account.is_active) {
      await this.refuse(attempted, 'disabled', source);
      throw new Problem(ACCOUNT_DISABLED);
    }

    return {
      account,
      attempt,
      device: deviceOfSession(device, fromKnownBrowser),
      knownAs: fromKnownBrowser ? device.deviceKey : null,
      skips: this.newSessions.maySkip(account, rememberedUntil),
    };
  }

  /** Counted but not verified, since the gate was too slow: the attempt is taken back. */
  private async verify(
    password: string,
    account: Account | null,
    attempt: AdmittedAttempt,
    place: HashPlace,
  ): Promise<boolean> {
    try {
      return await this.hasher.verify(password, account?.password_hash ?? null, place);
    } catch (error) {
      await this.lockout.retract(attempt);
      throw error;
    }
  }

  /** Begins the session, or what comes before it: a proof by a second factor, or setting one up. */
  private async goOn(
    proven: Proven,
    rehashed: Rehashed | null,
    origin: SignInOrigin,
  ): Promise<SignedIn | SignedInHalfWay> {
    const { account, attempt, skips } = proven;
    if (account.second_factors.length > 0 && !skips) return this.challenge(proven, 'verify', rehashed, origin);
    if (this.policy.demandsOf(account.roles)) {
      const { halfWay, methods } = await this.challenge(proven, 'enroll', rehashed, origin);
      throw new Problem(MFA_ENROLLMENT_REQUIRED, {
        members: { mfa_token: halfWay.token, mfa_methods: methods, expires_in: halfWay.expiresInSeconds },
      });
    }
    const granted = await this.begin(proven, rehashed, origin);
    // The password that was right is not the account's any more, or the account is no more in use.
    return granted ?? this.fail({ userId: account.id, details: {} }, attempt, 'changed_meanwhile', origin.source);
  }

  private begin(
    { account, attempt, device }: Proven,
    rehashed: Rehashed | null,
    { replaced, source }: SignInOrigin,
  ): Promise<SignedIn | null> {
    const proof = { account, amr: ['pwd'], device, forgive: attempt.forgiven };
    if (!rehashed) return this.newSessions.begin(null, proof, replaced, source);
    return this.newSessions.transaction(async (tx) => {
      const upgraded = await this.upgrade(tx, account, rehashed);
      const signedIn = await this.newSessions.begin(tx, proof, replaced, source);
      if (signedIn && upgraded) await this.recordRehashed(tx, account, rehashed, source, signedIn.session.id);
      return signedIn;
    });
  }

  /** The password was right: its counters start anew, and the second step has its own. */
  private challenge(
    { account, attempt, device, knownAs }: Proven,
    purpose: HalfWayPurpose,
    rehashed: Rehashed | null,
    { browser, source }: SignInOrigin,
  ): Promise<SignedInHalfWay> {
    return this.newSessions.transaction(async (tx) => {
      if (rehashed && (await this.upgrade(tx, account, rehashed)))
        await this.recordRehashed(tx, account, rehashed, source);
      await this.lockout.succeed(tx, attempt);
      return this.secondSteps.ask(
        tx,
        { account, purpose, amr: ['pwd'], knownAs, deviceId: device.deviceId },
        browser,
        source,
      );
    });
  }

  private upgrade(tx: EntityManager, account: Account, { hash }: Rehashed): Promise<boolean> {
    return this.users.upgradePasswordHash(tx, account.id, account.password_hash, hash);
  }

  private recordRehashed(
    tx: EntityManager,
    { id }: Account,
    { from }: Rehashed,
    source: RequestSource,
    sessionId: string | null = null,
  ): Promise<void> {
    const entry = { userId: id, actorId: id, sessionId, details: { from } };
    return this.audit.record(tx, { ...entry, type: 'password.rehashed' }, source);
  }

  private async admit(counted: CountedAttempt, attempted: Attempted, source: RequestSource): Promise<AdmittedAttempt> {
    try {
      return this.lockout.judge(counted);
    } catch (error) {
      if (error instanceof Problem && error.type === ACCOUNT_LOCKED) await this.refuse(attempted, 'locked', source);
      throw error;
    }
  }

  private async fail(
    attempted: Attempted,
    attempt: AdmittedAttempt,
    reason: string,
    source: RequestSource,
  ): Promise<never> {
    await this.audit.recordAlone(
      { ...attempted, type: 'login.failed', details: { ...attempted.details, reason } },
      source,
    );
    if (attempt.locks) await this.audit.recordAlone({ ...attempted, type: 'login.locked' }, source);
    throw new Problem(INVALID_CREDENTIALS);
  }

  private refuse(attempted: Attempted, reason: 'disabled' | 'locked', source: RequestSource): Promise<void> {
    return this.audit.recordAlone(
      { ...attempted, type: 'login.refused', details: { ...attempted.details, reason } },
      source,
    );
  }
}

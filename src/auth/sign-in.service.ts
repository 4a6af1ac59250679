import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/audit-log.js';
import type { HashPlace } from '../common/hash-gate.js';
import { ACCOUNT_DISABLED, ACCOUNT_LOCKED, INVALID_CREDENTIALS } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { type AdmittedAttempt, Lockout } from '../protection/lockout.js';
import type { CountedAttempt } from '../protection/lockout.repository.js';
import { type DeviceAtSignIn, type DeviceEvidence, deviceOfSession } from '../sessions/device.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { type Beginning, type GrantedSession, SessionsService } from '../sessions/sessions.service.js';
import { canonicalName } from '../users/canonical-name.js';
import { type Account, UsersRepository } from '../users/users.repository.js';
import type { LoginRequest } from './auth.schemas.js';
import { SignInAttempts } from './sign-in-attempts.js';
import type { SignedIn } from './signed-in.js';

/** What every audit row of one attempt shares: the account, or a name that nobody has. */
type Attempted = { userId?: string; details: Record<string, unknown> };

/** An account whose password was right, the attempt that showed it, and the device as its session is to know it. */
interface Proven {
  account: Account;
  attempt: AdmittedAttempt;
  device: DeviceEvidence;
}

/** Signs people in. */
@Injectable()
export class SignInService {
  constructor(
    private readonly database: Database,
    private readonly users: UsersRepository,
    private readonly attempts: SignInAttempts,
    private readonly sessions: SessionsService,
    private readonly refreshTokens: RefreshTokens,
    private readonly hasher: PasswordHasher,
    private readonly lockout: Lockout,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Checks the password and begins a session. An unknown name costs the same work and gets the
   * same answer as a wrong password. No connection is held while the hash is computed.
   * @param replaced The refresh token that this browser held before: its session ends (ASVS 7.2.4).
   * @throws Problem `invalid_credentials`, `account_disabled`, `account_locked`, `overloaded`
   */
  async signIn(
    { username, password }: LoginRequest,
    device: DeviceAtSignIn,
    replaced: string | null,
    source: RequestSource,
  ): Promise<SignedIn> {
    const place = this.hasher.reserve();
    try {
      const proven = await this.prove(username, password, place, device, source);
      const granted = await this.begin(proven, password, place, replaced, source);
      return { ...granted, account: proven.account, device: proven.device };
    } finally {
      place.leave();
    }
  }

  /** Finds out whose name it is and whether the password is theirs. */
  private async prove(
    username: string,
    password: string,
    place: HashPlace,
    device: DeviceAtSignIn,
    source: RequestSource,
  ): Promise<Proven> {
    const name = canonicalName(username);
    const { account, fromKnownBrowser, counted } = await this.attempts.count(name, device.deviceKey, source.ip);
    const nameHash = this.audit.hashName(name); // for known names as well: the time must not tell
    const attempted: Attempted = account ? { userId: account.id, details: {} } : { details: { name_hash: nameHash } };
    const attempt = await this.admit(counted, attempted, source);

    const fits = await this.verify(password, account, attempt, place);
    if (!account || !fits) return this.fail(attempted, attempt, account ? 'wrong_password' : 'unknown_name', source);
    if (!account.is_active) {
      await this.refuse(attempted, 'disabled', source);
      throw new Problem(ACCOUNT_DISABLED);
    }

    return { account, attempt, device: deviceOfSession(device, fromKnownBrowser) };
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

  private async begin(
    { account, attempt, device }: Proven,
    password: string,
    place: HashPlace,
    replaced: string | null,
    source: RequestSource,
  ): Promise<GrantedSession> {
    const rehashed = await this.hasher.rehash(password, account.password_hash, place);
    const before = this.refreshTokens.open(replaced);
    const beginning: Beginning = {
      account,
      amr: ['pwd'],
      device,
      event: 'login.succeeded',
      forgive: attempt.forgiven,
    };
    const granted =
      rehashed || before
        ? await this.database.transaction(async (tx) => {
            const upgraded =
              rehashed && (await this.users.upgradePasswordHash(tx, account.id, account.password_hash, rehashed.hash));
            const session = await this.sessions.begin(tx, beginning, source);
            if (!session) return null;
            if (before) await this.sessions.endReplaced(tx, before, account.id, source);
            if (upgraded) {
              const who = { userId: account.id, actorId: account.id, sessionId: session.session.id };
              await this.audit.record(
                tx,
                { ...who, type: 'password.rehashed', details: { from: rehashed.from } },
                source,
              );
            }
            return session;
          })
        : await this.sessions.begin(null, beginning, source);
    // The password that was right is not the account's any more, or the account is no more in use.
    return granted ?? this.fail({ userId: account.id, details: {} }, attempt, 'changed_meanwhile', source);
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

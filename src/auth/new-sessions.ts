import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import type { RequestSource } from '../common/request-source.js';
import { SecondFactorPolicy } from '../common/second-factors.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database } from '../database/database.js';
import type { DeviceEvidence } from '../sessions/device.js';
import { DevicesRepository } from '../sessions/devices.repository.js';
import { RefreshTokens } from '../sessions/refresh-token.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { type Account, UsersRepository } from '../users/users.repository.js';
import type { SignedIn } from './signed-in.js';

/** Who signs in, and how they proved it. */
export interface ProvenSignIn {
  readonly account: Account;
  readonly amr: string[];
  readonly device: DeviceEvidence;
  readonly forgive?: readonly Buffer[];
}

/** The end that all ways to sign in have in common. */
@Injectable()
export class NewSessions {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
    private readonly users: UsersRepository,
    private readonly devices: DevicesRepository,
    private readonly refreshTokens: RefreshTokens,
    private readonly audit: AuditLog,
    private readonly policy: SecondFactorPolicy,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  transaction<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  /**
   * Begins the session, and ends the one that the browser held before (ASVS 7.2.4). One statement where nothing else
   * is to commit with it. Null where the password was changed or the account disabled since the proof.
   */
  async begin(
    tx: EntityManager | null,
    { account, amr, device, forgive }: ProvenSignIn,
    replaced: string | null,
    source: RequestSource,
  ): Promise<SignedIn | null> {
    const before = this.refreshTokens.open(replaced);
    const comesBack = Boolean(account.delete_at);
    if ((before || comesBack) && !tx)
      return this.transaction((own) => this.begin(own, { account, amr, device, forgive }, replaced, source));
    const granted = await this.sessions.begin(tx, { account, amr, device, event: 'login.succeeded', forgive }, source);
    if (granted && comesBack && tx) await this.keep(tx, account.id, granted.session.id, source);
    if (granted && before && tx) await this.sessions.endReplaced(tx, before, account.id, source);
    return granted && { ...granted, account, device };
  }

  /** Whoever signs in within the grace keeps their account. */
  private async keep(tx: EntityManager, userId: string, sessionId: string, source: RequestSource): Promise<void> {
    await this.users.deleteLater(tx, userId, null);
    await this.audit.record(tx, { type: 'user.deletion_cancelled', userId, actorId: userId, sessionId }, source);
  }

  /** Whether the user is known by this browser. */
  knows(tx: EntityManager, userId: string, deviceKey: string | null): Promise<boolean> {
    return deviceKey === null ? Promise.resolve(false) : this.devices.isKnown(userId, deviceKey, tx);
  }

  /** Whether a browser that its user asked to remember skips the second step. */
  maySkip(account: Account, rememberedUntil: Date | null): boolean {
    return (
      this.config.mfa.rememberSeconds > 0 &&
      !this.policy.demandsOf(account.roles) &&
      rememberedUntil !== null &&
      rememberedUntil > this.clock.now()
    );
  }

  /** Lets the browser of a new session skip the second step for a while, where the policy lets it. */
  async remember(tx: EntityManager, { account, device, session }: SignedIn, source: RequestSource): Promise<void> {
    const { rememberSeconds } = this.config.mfa;
    if (!device.deviceKey || rememberSeconds === 0 || this.policy.demandsOf(account.roles)) return;
    const until = new Date(this.clock.now().getTime() + rememberSeconds * 1000);
    await this.devices.remember(tx, account.id, device.deviceKey, until);
    const who = { userId: account.id, actorId: account.id, sessionId: session.id };
    await this.audit.record(tx, { ...who, type: 'device.remembered', details: { until: until.toISOString() } }, source);
  }
}

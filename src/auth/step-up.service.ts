import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import { Clock } from '../common/clock.js';
import type { Principal } from '../common/principal.js';
import { TOKEN_REVOKED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { FactorsService } from '../mfa/factors.service.js';
import { Passkeys } from '../mfa/passkeys.js';
import { methodOfCode, type Proof, SecondFactors } from '../mfa/second-factors.js';
import type { LiveSession } from '../sessions/sessions.repository.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import type { RemoveTotpRequest, StepUpRequest } from './step-up.schemas.js';
import { PasswordProof } from './password-proof.js';

const useOf = ({ sessionId }: Principal): string => `step-up|${sessionId}`;

/** Lets people who are signed in prove themselves again: for what needs a recent proof (ASVS 7.5.1). */
@Injectable()
export class StepUpService {
  constructor(
    private readonly passwords: PasswordProof,
    private readonly secondFactors: SecondFactors,
    private readonly factors: FactorsService,
    private readonly passkeys: Passkeys,
    private readonly sessions: SessionsRepository,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Renews the session's `auth_time` by any factor that the user has.
   * @param deviceKey The browser, if the user is known by it.
   * @throws Problem `invalid_credentials`, `mfa_invalid`, `account_locked`, `overloaded`, `token_revoked`
   */
  async stepUp(
    user: Principal,
    request: StepUpRequest,
    deviceKey: string | null,
    source: RequestSource,
  ): Promise<LiveSession> {
    if ('password' in request) {
      const account = await this.passwords.accountOf(user);
      return this.passwords.prove(user, account, request.password, 'session.step_up_failed', source, {
        commit: (tx) => this.renew(tx, user, ['pwd'], source),
      });
    }
    const proof: Proof =
      'response' in request
        ? { method: 'passkey', response: request.response, use: useOf(user) }
        : { method: request.method ?? methodOfCode(request.code), code: request.code };
    return this.secondFactors.prove({ ...user, deviceKey }, proof, source, (tx, amr) =>
      this.renew(tx, user, amr, source),
    );
  }

  passkeyOptions(user: Principal) {
    return this.passkeys.requestOptions(user.userId, useOf(user));
  }

  /**
   * Takes one authenticator app away, or all, by the password and a code.
   * @throws Problem `invalid_credentials`, `mfa_invalid`, `account_locked`, `not_found`, `mfa_enrollment_required`
   */
  async removeTotp(
    user: Principal,
    id: string | undefined,
    { password, code }: RemoveTotpRequest,
    deviceKey: string | null,
    source: RequestSource,
  ): Promise<void> {
    const account = await this.passwords.accountOf(user);
    await this.passwords.prove(user, account, password, 'session.step_up_failed', source, {
      commit: () => Promise.resolve(true),
    });
    const proof = { method: methodOfCode(code), code };
    await this.secondFactors.prove({ ...user, deviceKey }, proof, source, async (tx) => {
      await this.factors.removeTotp(tx, user, id, source);
      return true;
    });
  }

  private async renew(
    tx: EntityManager,
    { userId, sessionId }: Principal,
    amr: string[],
    source: RequestSource,
  ): Promise<LiveSession> {
    const session = await this.sessions.renew(tx, sessionId, userId, amr, this.clock.now());
    if (!session) throw new Problem(TOKEN_REVOKED);
    const who = { userId, actorId: userId, sessionId };
    await this.audit.record(tx, { ...who, type: 'session.stepped_up', details: { amr } }, source);
    return session;
  }
}

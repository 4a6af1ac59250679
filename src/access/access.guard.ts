import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';

import { TokenError, type TokenErrorCode } from '#verifier';

import { AuditLog } from '../audit/audit-log.js';
import {
  ACCESS_RULE,
  type AccessRule,
  FURTHER_ACCESS,
  type FurtherAccess,
  OPEN_BEFORE_PASSWORD_CHANGE,
  OPEN_BEFORE_SECOND_FACTOR,
  STEP_UP,
} from '../common/access.js';
import { Clock } from '../common/clock.js';
import type { ClientPrincipal, Principal } from '../common/principal.js';
import {
  FORBIDDEN,
  MFA_ENROLLMENT_REQUIRED,
  OVERLOADED,
  PASSWORD_CHANGE_REQUIRED,
  STEP_UP_REQUIRED,
  TOKEN_EXPIRED,
  TOKEN_INVALID,
  TOKEN_MISSING,
  TOKEN_REVOKED,
} from '../common/problem/catalogue.js';
import { Problem, type ProblemType } from '../common/problem/problem.js';
import { sourceOf } from '../common/request-source.js';
import { declared, requestOf } from '../common/route-context.js';
import { MULTI_FACTOR, type SecondFactorMethod, SecondFactorPolicy } from '../common/second-factors.js';
import { CONFIG, type Config } from '../config/config.js';
import { SessionsRepository, type SessionStanding } from '../sessions/sessions.repository.js';
import { ACCESS_TOKEN_STRATEGY } from './access-token.strategy.js';
import { ClientAccess } from './client-access.js';

type ProofMethod = 'password' | SecondFactorMethod;

const PROBLEMS: Record<TokenErrorCode, ProblemType> = {
  token_invalid: TOKEN_INVALID,
  token_expired: TOKEN_EXPIRED,
  token_revoked: TOKEN_REVOKED,
  verifier_stale: OVERLOADED,
};

/**
 * Decides who may call a route, by what its `@Access()` declares; denies where nothing is declared.
 * A token counts only while its session lives and its user is active.
 */
@Injectable()
export class AccessGuard extends AuthGuard(ACCESS_TOKEN_STRATEGY) {
  constructor(
    private readonly reflector: Reflector,
    private readonly sessions: SessionsRepository,
    private readonly clients: ClientAccess,
    private readonly audit: AuditLog,
    private readonly policy: SecondFactorPolicy,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const rule = this.declares<AccessRule>(ACCESS_RULE, context);
    if (rule === 'public') return true;
    const request = requestOf<Request & { user: Principal; client: ClientPrincipal }>(context);
    if (rule === undefined) return this.refuse(FORBIDDEN, request);
    if (rule === 'client') {
      request.client = await this.clients.admit(request);
      return true;
    }
    try {
      await super.canActivate(context);
    } catch (error) {
      // That a token has expired happens all day; the others are worth a row.
      if (error instanceof Problem && [TOKEN_INVALID, TOKEN_REVOKED].includes(error.type))
        return this.refuse(error.type, request);
      throw error;
    }
    const { userId, sessionId, issuedAt } = request.user;
    const standing = await this.sessions.findStanding(sessionId, userId, issuedAt, this.clock.now());
    if (!standing) return this.refuse(TOKEN_REVOKED, request, request.user);
    if (standing.must_change_password && !this.declares(OPEN_BEFORE_PASSWORD_CHANGE, context))
      return this.refuse(PASSWORD_CHANGE_REQUIRED, request, request.user);
    if (!this.policy.isMet(standing.roles, standing.amr) && !this.declares(OPEN_BEFORE_SECOND_FACTOR, context)) {
      const methods = standing.second_factors;
      if (methods.length === 0) return this.refuse(MFA_ENROLLMENT_REQUIRED, request, request.user);
      return this.refuse(STEP_UP_REQUIRED, request, request.user, { methods });
    }
    const furtherRule = this.declares<FurtherAccess>(FURTHER_ACCESS, context);
    const further = furtherRule?.when(request) ? furtherRule : undefined;
    const lacking = further || this.declares(STEP_UP, context) ? this.proofsLacking(request.user, standing) : [];
    if (lacking.length > 0) return this.refuse(STEP_UP_REQUIRED, request, request.user, { methods: lacking });
    // As they are now: the token may be from before a change.
    request.user = { ...request.user, roles: standing.roles, permissions: standing.permissions };
    const needed = [rule === 'user' ? undefined : rule.permission, further?.permission];
    if (needed.some((permission) => permission !== undefined && !standing.permissions.includes(permission)))
      return this.refuse(FORBIDDEN, request, request.user);
    return true;
  }

  /**
   * By which methods a proof is needed before what asks for a recent one (ASVS 7.5.1); none where there is one. It counts by
   * the token's own `auth_time`: whoever else holds the session does not share it before the next refresh. A session of somebody who has a
   * second factor must have proven it (NIST SP 800-63B, 4.1.2): the password alone neither changes nor adds one.
   */
  private proofsLacking({ authTime }: Principal, { second_factors, amr }: SessionStanding): ProofMethod[] {
    if (second_factors.length > 0 && !amr.includes(MULTI_FACTOR)) return second_factors;
    const age = this.clock.now().getTime() / 1000 - authTime;
    return age > this.config.mfa.stepUpSeconds ? ['password', ...second_factors] : [];
  }

  /** passport hands its outcome here: the principal, or why there is none. */
  override handleRequest<T>(error: unknown, principal: T, fault: unknown): T {
    if (error) throw error;
    if (principal) return principal;
    if (!(fault instanceof TokenError)) throw new Problem(TOKEN_MISSING);
    throw new Problem(PROBLEMS[fault.code]);
  }

  private declares<T>(key: symbol, context: ExecutionContext): T | undefined {
    return declared<T>(this.reflector, key, context);
  }

  private async refuse(
    type: ProblemType,
    request: Request,
    principal?: Principal,
    members?: Record<string, unknown>,
  ): Promise<never> {
    await this.audit.recordRefusal(
      {
        type: 'access.refused',
        userId: principal?.userId,
        actorId: principal?.userId,
        sessionId: principal?.sessionId,
        details: { code: type.code, method: request.method, path: request.path.slice(0, 256) },
      },
      sourceOf(request),
    );
    throw new Problem(type, { members });
  }
}

import { Controller, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { AuditLog } from '../audit/audit-log.js';
import { Access, StepUp } from '../common/access.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { CSRF_FAILED, NOT_FOUND, STEP_UP_REQUIRED, VALIDATION_FAILED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { FactorsService } from '../mfa/factors.service.js';
import { Revoker } from '../revocations/revoker.js';
import { revokedResponse, type RevokedResponse } from '../sessions/sessions.schemas.js';
import { UsersRepository } from '../users/users.repository.js';
import { userId } from './admin.schemas.js';

@ApiTags('Administration')
@Controller('admin/users')
export class ResetFactorsController {
  constructor(
    private readonly database: Database,
    private readonly users: UsersRepository,
    private readonly factors: FactorsService,
    private readonly revoker: Revoker,
    private readonly audit: AuditLog,
  ) {}

  @Post(':id/reset-factors')
  @HttpCode(200)
  @Access({ permission: 'users:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'resetFactors',
    summary: 'Take all second factors of an account away; its sessions end',
    description: 'For whoever lost them and has no recovery code left. Make sure that it is really them who ask.',
  })
  @ApiOkResponse({ standardSchema: revokedResponse, description: 'Reset.' })
  @ApiProblems(NOT_FOUND, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async reset(
    @Param('id', { schema: userId }) id: string,
    @CurrentUser() admin: Principal,
    @Source() source: RequestSource,
  ): Promise<RevokedResponse> {
    if (!(await this.users.findById(id))) throw new Problem(NOT_FOUND);
    const who = { userId: id, actorId: admin.userId, sessionId: admin.sessionId };
    const revoked = await this.database.transaction(async (tx) => {
      const before = await this.factors.reset(tx, id);
      await this.audit.record(tx, { ...who, type: 'mfa.reset', details: { factors: before } }, source);
      const cause = { reason: 'factors_reset', actorId: admin.userId } as const;
      return this.revoker.revoke(tx, { sessionsOf: id }, cause, source);
    });
    return { revoked };
  }
}

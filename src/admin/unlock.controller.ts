import { Controller, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { AuditLog } from '../audit/audit-log.js';
import { Access } from '../common/access.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { CSRF_FAILED, NOT_FOUND, VALIDATION_FAILED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { Lockout } from '../protection/lockout.js';
import { UsersRepository } from '../users/users.repository.js';
import { userId } from './admin.schemas.js';

const releasedResponse = z
  .strictObject({
    released: z.int().min(0).max(1_000_000).meta({ description: 'How many counters it had.', example: 2 }),
  })
  .meta({ id: 'ReleasedResponse' });

@ApiTags('Administration')
@Controller('admin/users')
export class UnlockController {
  constructor(
    private readonly database: Database,
    private readonly users: UsersRepository,
    private readonly lockout: Lockout,
    private readonly audit: AuditLog,
  ) {}

  @Post(':id/unlock')
  @HttpCode(200)
  @Access({ permission: 'users:write' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'unlockUser',
    summary: 'Release an account from its locks, at every network and browser',
  })
  @ApiOkResponse({ standardSchema: releasedResponse, description: 'Released.' })
  @ApiProblems(NOT_FOUND, CSRF_FAILED, VALIDATION_FAILED)
  async unlock(
    @Param('id', { schema: userId }) id: string,
    @CurrentUser() admin: Principal,
    @Source() source: RequestSource,
  ) {
    if (!(await this.users.findById(id))) throw new Problem(NOT_FOUND);
    const released = await this.database.transaction(async (tx) => {
      const count = await this.lockout.release(tx, id);
      await this.audit.record(
        tx,
        { type: 'account.unlocked', userId: id, actorId: admin.userId, sessionId: admin.sessionId },
        source,
      );
      return count;
    });
    return { released };
  }
}

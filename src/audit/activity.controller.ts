import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Access } from '../common/access.js';
import { openCursor, pageQuery, type PageQuery, toPage } from '../common/paging.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { VALIDATION_FAILED } from '../common/problem/catalogue.js';
import { activityPage, toActivityEvent } from './audit.schemas.js';
import { AuditRepository } from './audit.repository.js';

@ApiTags('Account')
@Controller('auth')
export class ActivityController {
  constructor(private readonly repository: AuditRepository) {}

  @Get('activity')
  @Access('user')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'listActivity', summary: 'What happened on my account, newest first' })
  @ApiOkResponse({ standardSchema: activityPage, description: 'A page of the user’s own events.' })
  @ApiProblems(VALIDATION_FAILED)
  async list(@Query({ schema: pageQuery }) { limit, cursor }: PageQuery, @CurrentUser() user: Principal) {
    return toPage(await this.repository.listOfUser(user.userId, limit + 1, openCursor(cursor)), limit, toActivityEvent);
  }
}

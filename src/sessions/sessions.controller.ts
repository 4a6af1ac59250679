import { Controller, Delete, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { Access, StepUp } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { openCursor, pageQuery, type PageQuery, toPage } from '../common/paging.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { CSRF_FAILED, NOT_FOUND, STEP_UP_REQUIRED, VALIDATION_FAILED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { SessionsRepository } from './sessions.repository.js';
import { revokedResponse, type RevokedResponse, sessionPage, toSessionView } from './sessions.schemas.js';
import { SessionsService } from './sessions.service.js';

const sessionId = z.uuid('must be the id of a session').meta({ description: 'The id of a session.' });

@ApiTags('Account')
@Controller('auth/sessions')
@Access('user')
export class SessionsController {
  constructor(
    private readonly repository: SessionsRepository,
    private readonly sessions: SessionsService,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'listSessions', summary: 'Where I am signed in' })
  @ApiOkResponse({ standardSchema: sessionPage, description: 'A page of live sessions, newest first.' })
  @ApiProblems(VALIDATION_FAILED)
  async list(@Query({ schema: pageQuery }) { limit, cursor }: PageQuery, @CurrentUser() user: Principal) {
    const rows = await this.repository.listLive(user.userId, limit + 1, openCursor(cursor), this.clock.now());
    return toPage(rows, limit, toSessionView(user.sessionId));
  }

  @Delete(':id')
  @HttpCode(204)
  @StepUp()
  @ApiOperation({ operationId: 'endSession', summary: 'End one of my sessions' })
  @ApiNoContentResponse({ description: 'Ended.' })
  @ApiProblems(NOT_FOUND, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async end(
    @Param('id', { schema: sessionId }) id: string,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<void> {
    if (!(await this.sessions.endOwn(user, id, source))) throw new Problem(NOT_FOUND);
  }

  @Post('revoke-others')
  @HttpCode(200)
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'endOtherSessions', summary: 'End all my sessions but this one' })
  @ApiOkResponse({ standardSchema: revokedResponse, description: 'Ended.' })
  @ApiProblems(STEP_UP_REQUIRED, CSRF_FAILED)
  async endOthers(@CurrentUser() user: Principal, @Source() source: RequestSource): Promise<RevokedResponse> {
    return { revoked: await this.sessions.endOthers(user, source) };
  }
}

import { Controller, Delete, Get, Header, HttpCode, Param, Query, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';

import { AuditLog } from '../audit/audit-log.js';
import { Access } from '../common/access.js';
import { Cookies } from '../common/cookies.js';
import { openCursor, pageQuery, type PageQuery, toPage } from '../common/paging.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { CSRF_FAILED, NOT_FOUND, VALIDATION_FAILED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { DeviceKeys } from './device.js';
import { DevicesRepository } from './devices.repository.js';
import { devicePage, toDeviceView } from './devices.schemas.js';

const deviceId = z.uuid('must be the id of a device').meta({ description: 'The id of a device.' });

@ApiTags('Account')
@Controller('auth/devices')
@Access('user')
export class DevicesController {
  constructor(
    private readonly devices: DevicesRepository,
    private readonly database: Database,
    private readonly deviceKeys: DeviceKeys,
    private readonly cookies: Cookies,
    private readonly audit: AuditLog,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'listDevices',
    summary: 'The browsers that I signed in with',
    description: 'A known browser is never locked out by wrong passwords from elsewhere.',
  })
  @ApiOkResponse({ standardSchema: devicePage, description: 'A page of devices, newest first.' })
  @ApiProblems(VALIDATION_FAILED)
  async list(
    @Query({ schema: pageQuery }) { limit, cursor }: PageQuery,
    @CurrentUser() user: Principal,
    @Req() request: Request,
  ) {
    const current = this.deviceKeys.open(this.cookies.read(request, 'device'));
    return toPage(await this.devices.list(user.userId, limit + 1, openCursor(cursor)), limit, toDeviceView(current));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'forgetDevice', summary: 'Forget a browser; it counts as unknown from then on' })
  @ApiNoContentResponse({ description: 'Forgotten.' })
  @ApiProblems(NOT_FOUND, CSRF_FAILED, VALIDATION_FAILED)
  async forget(
    @Param('id', { schema: deviceId }) id: string,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<void> {
    const forgotten = await this.database.transaction(async (tx) => {
      const found = await this.devices.forget(tx, user.userId, id);
      const who = { userId: user.userId, actorId: user.userId, sessionId: user.sessionId };
      if (found) await this.audit.record(tx, { ...who, type: 'device.forgotten', details: { device_id: id } }, source);
      return found;
    });
    if (!forgotten) throw new Problem(NOT_FOUND);
  }
}

import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { Access } from '../common/access.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { OVERLOADED } from '../common/problem/catalogue.js';
import { RateLimit } from '../protection/rate-limit.js';
import { Readiness } from './readiness.js';

const healthResponse = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' });

@ApiTags('Operations')
@Controller('health')
@Access('public')
@RateLimit('none')
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'isLive',
    summary: 'Whether the process runs; asks nothing else, so that load never restarts it',
  })
  @ApiOkResponse({ standardSchema: healthResponse, description: 'It runs.' })
  @ApiProblems()
  live() {
    return { status: 'ok' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'isReady',
    summary: 'Whether it can serve: the database answers, there is a key to sign with, and no shutdown has begun',
  })
  @ApiOkResponse({ standardSchema: healthResponse, description: 'It can.' })
  @ApiProblems(OVERLOADED)
  async ready() {
    await this.readiness.assert();
    return { status: 'ok' };
  }
}

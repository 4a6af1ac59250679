import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';

import { Access } from '../common/access.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { statsResponse } from './admin.schemas.js';
import { StatsRepository } from './stats.repository.js';

@ApiTags('Administration')
@Controller('admin/stats')
export class StatsController {
  constructor(private readonly stats: StatsRepository) {}

  @Get()
  @Access({ permission: 'stats:read' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'getStats', summary: 'How many accounts, sessions and sign-ins there are' })
  @ApiOkResponse({ standardSchema: statsResponse, description: 'The figures of now.' })
  @ApiProblems()
  get(): Promise<z.infer<typeof statsResponse>> {
    return this.stats.read();
  }
}

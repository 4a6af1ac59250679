import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Access } from '../common/access.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { NOT_FOUND, TOKEN_INVALID, TOKEN_MISSING } from '../common/problem/catalogue.js';
import { Metrics } from './metrics.js';
import { MetricsGuard } from './metrics.guard.js';

@ApiTags('Operations')
@Controller('metrics')
@Access('public') // no user's to read: MetricsGuard decides
@UseGuards(MetricsGuard)
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'How the process does, for Prometheus',
    description:
      'Takes METRICS_TOKEN as a bearer token where it is set. Where it is not, production answers 404, and anything else is open.',
  })
  @ApiOkResponse({
    description: 'Metrics in the text format.',
    content: { 'text/plain': { schema: { type: 'string' }, example: 'latchkey_rate_store_degraded 0' } },
  })
  @ApiProblems(TOKEN_MISSING, TOKEN_INVALID, NOT_FOUND)
  get(): Promise<string> {
    return this.metrics.text();
  }
}

import { Controller, Get, Header, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';

import { auditPage, type AuditQuery, auditQuery, toAuditEvent } from '../audit/audit.schemas.js';
import { AuditRepository } from '../audit/audit.repository.js';
import { Access, AccessFurther } from '../common/access.js';
import { ApiAlsoAs } from '../common/openapi-document.js';
import { openCursor, toPage } from '../common/paging.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { VALIDATION_FAILED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { AuditExport, EXPORT_PERMISSION } from './audit-export.js';
import { auditFormatExamples, auditFormatOf } from './audit-formats.js';

/** A reader that takes nothing for so long has gone. */
const STALLED_MS = 60_000;

@ApiTags('Administration')
@Controller('admin/audit')
export class AdminAuditController {
  constructor(
    private readonly events: AuditRepository,
    private readonly exports: AuditExport,
  ) {}

  @Get()
  @Access({ permission: 'audit:read' })
  @AccessFurther({ permission: EXPORT_PERMISSION, when: (request) => auditFormatOf(request) !== null })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'searchAudit',
    summary: 'What happened, newest first; by user, actor, type, address, time and risk',
    description:
      'JSON in pages; with `Accept: text/csv` or `application/x-ndjson` all that matches, as a stream without `limit` and ' +
      '`cursor`. That is an export: it needs `audit:export` too and a recent proof of identity, and is an event itself. ' +
      'A stream that was cut short ends without the end that HTTP asks for.',
  })
  @ApiOkResponse({
    standardSchema: auditPage,
    description: 'A page of events, or all of them.',
  })
  @ApiAlsoAs(auditFormatExamples)
  @ApiProblems(VALIDATION_FAILED)
  async search(
    @Query({ schema: auditQuery }) { limit, cursor, ...filter }: AuditQuery,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    response.vary('Accept');
    const format = auditFormatOf(request);
    if (!format) return toPage(await this.events.list(filter, limit + 1, openCursor(cursor)), limit, toAuditEvent);
    refusePaging(request);
    response.setTimeout(STALLED_MS, () => response.destroy());
    return new StreamableFile(await this.exports.begin(filter, format, by, source), {
      type: format.mediaType,
      disposition: `attachment; filename="audit.${format.name}"`,
    });
  }
}

/** An export has all that matches: whoever asks for part of it shall not be left to find out. @throws Problem `validation_failed` */
function refusePaging({ query }: Request): void {
  const errors = ['limit', 'cursor']
    .filter((field) => field in query)
    .map((field) => ({ field, message: 'is for pages of JSON alone' }));
  if (errors.length > 0) throw new Problem(VALIDATION_FAILED, { errors });
}

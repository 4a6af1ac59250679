import { createHash } from 'node:crypto';

import { Controller, Get, Header, Headers, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';

import { Access } from '../common/access.js';
import { CurrentClient, type ClientPrincipal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { VALIDATION_FAILED } from '../common/problem/catalogue.js';
import { RevocationPages } from './revocation-pages.js';
import { RevocationStreams } from './revocation-streams.js';
import { type FeedQuery, feedQuery, parseCursor, revocationPage } from './revocations.schemas.js';

@ApiTags('Services')
@Controller('revocations')
@Access('client')
export class RevocationsController {
  constructor(
    private readonly pages: RevocationPages,
    private readonly streams: RevocationStreams,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-cache')
  @ApiOperation({
    operationId: 'listRevocations',
    summary: 'What was revoked within the last access-token lifetime',
    description: 'Send `If-None-Match` to be answered 304 while nothing was. docs/revocation-feed.md tells the rules.',
  })
  @ApiHeader({ name: 'If-None-Match', description: 'The ETag of the answer before.', schema: { type: 'string' } })
  @ApiOkResponse({
    standardSchema: revocationPage,
    description: 'A page of the feed.',
    headers: { ETag: { description: 'Of this answer.', schema: { type: 'string' } } },
  })
  @ApiResponse({ status: 304, description: 'Nothing has changed.' })
  @ApiProblems(VALIDATION_FAILED)
  async list(
    @Query({ schema: feedQuery }) { after, limit }: FeedQuery,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ) {
    const page = await this.pages.page(parseCursor(after, 'after'), limit);
    const etag = `"${createHash('sha256').update(JSON.stringify(page)).digest('base64url')}"`;
    response.setHeader('ETag', etag);
    if (!isKnown(known, etag)) return page;
    response.status(304);
    return undefined;
  }

  @Get('stream')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'streamRevocations',
    summary: 'The same, as it happens: Server-Sent Events',
    description:
      'First all that still matters, or what came since `Last-Event-ID`. Then each revocation as an event ' +
      '`revocation`, and at least every five seconds a `sync`, which says that nothing is missing.',
  })
  @ApiHeader({ name: 'Last-Event-ID', description: 'Where to go on.', schema: { type: 'string' } })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'A stream without an end.', content: { 'text/event-stream': streamExample() } })
  @ApiProblems(VALIDATION_FAILED)
  stream(@CurrentClient() client: ClientPrincipal, @Req() request: Request, @Res() response: Response): void {
    const cursor = parseCursor(request.get('last-event-id'), 'Last-Event-ID');
    this.streams.subscribe(client.clientId, cursor.horizon, response);
  }
}

/** RFC 9110, section 13.1.2: a list, or any; compared weakly. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag));

function streamExample() {
  const entry = {
    id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a13',
    kind: 'session',
    subject: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11',
    issued_before: null,
    reason: 'logout',
    revoked_at: '2026-01-31T12:00:00.000Z',
    expires_at: '2026-01-31T12:15:10.000Z',
  };
  return {
    schema: { type: 'string' },
    example: `id: 812345\nevent: revocation\ndata: ${JSON.stringify(entry)}\n\nid: 812345\nevent: sync\ndata: {"as_of":"2026-01-31T12:00:00.000Z"}\n\n`,
  };
}

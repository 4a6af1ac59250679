import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { Access } from '../common/access.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { JWKS_MAX_AGE_SECONDS } from './access-token.js';
import { KeyRing } from './key-ring.js';

const jwksResponse = z
  .strictObject({
    keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal('sig') })),
  })
  .meta({ id: 'JwkSet', example: { keys: [] } });

@ApiTags('Services')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly ring: KeyRing) {}

  @Get('jwks.json')
  @Access('public')
  @Header('Cache-Control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`)
  @ApiOperation({
    operationId: 'getJwks',
    summary: 'The public keys of access tokens (RFC 7517)',
    description:
      'Empty while tokens are signed with shared keys (HS256): those are never published. A key stands here before it signs, and until its last token has ended.',
  })
  @ApiOkResponse({ standardSchema: jwksResponse, description: 'The keys that verify now.' })
  @ApiProblems()
  get() {
    return this.ring.publicJwks();
  }
}

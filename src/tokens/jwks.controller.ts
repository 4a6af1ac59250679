import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { Access } from '../common/access.js';
import { OVERLOADED } from '../common/problem/catalogue.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { Problem } from '../common/problem/problem.js';
import { JWKS_MAX_AGE_SECONDS } from './access-token.js';
import { KeyRing } from './key-ring.js';
import { KeyRingKeeper } from './key-ring-keeper.js';

const jwksResponse = z
  .strictObject({
    keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal('sig') })),
  })
  .meta({ id: 'JwkSet', example: { keys: [] } });

@ApiTags('Services')
@Controller('.well-known')
export class JwksController {
  constructor(
    private readonly ring: KeyRing,
    private readonly keeper: KeyRingKeeper,
  ) {}

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
  @ApiProblems(OVERLOADED)
  get() {
    // A set that lacks the database's keys would be cached, and good tokens refused.
    if (!this.keeper.isInformed) throw new Problem(OVERLOADED, { retryAfterSeconds: 1 });
    return this.ring.publicJwks();
  }
}

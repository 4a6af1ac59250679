import { Body, Controller, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { type ClientPrincipal, CurrentClient } from '../common/principal.js';
import { UNSUPPORTED_TOKEN_TYPE } from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { OAuthEndpoint } from './oauth-endpoint.decorator.js';
import { type RevocationRequest, revocationRequest } from './oauth.schemas.js';
import { TokenRevocationService } from './revocation.service.js';

@ApiTags('Services')
@Controller('oauth')
export class TokenRevocationController {
  constructor(private readonly revocation: TokenRevocationService) {}

  @Post('revoke')
  @OAuthEndpoint(UNSUPPORTED_TOKEN_TYPE)
  @ApiOperation({
    operationId: 'revokeToken',
    summary: 'Give a token back that this client got (RFC 7009)',
    description:
      'Services that follow the feed refuse it within a second. Somebody else’s is refused, and goes on; what is none is no error.',
  })
  @ApiOkResponse({ description: 'It counts no more, if it ever did.' })
  revoke(
    @Body({ schema: revocationRequest }) request: RevocationRequest,
    @CurrentClient() client: ClientPrincipal,
    @Source() source: RequestSource,
  ): Promise<void> {
    return this.revocation.revoke(request, client, source);
  }
}

import { Body, Controller, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { type ClientPrincipal, CurrentClient } from '../common/principal.js';
import {
  INVALID_SCOPE,
  INVALID_TARGET,
  UNAUTHORIZED_CLIENT,
  UNSUPPORTED_GRANT_TYPE,
} from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { OAuthEndpoint } from './oauth-endpoint.decorator.js';
import { type TokenRequest, tokenRequest, type TokenResponse, tokenResponse } from './oauth.schemas.js';
import { TokenService } from './token.service.js';

@ApiTags('Services')
@Controller('oauth')
export class TokenController {
  constructor(private readonly tokens: TokenService) {}

  @Post('token')
  @OAuthEndpoint(UNSUPPORTED_GRANT_TYPE, INVALID_SCOPE, INVALID_TARGET, UNAUTHORIZED_CLIENT)
  @ApiOperation({
    operationId: 'grantToken',
    summary: 'A token for a service itself (RFC 6749, section 4.4)',
    description: 'The client authenticates by `client_secret_basic`, `client_secret_post` or `private_key_jwt`.',
  })
  @ApiOkResponse({ standardSchema: tokenResponse, description: 'The token.' })
  grant(
    @Body({ schema: tokenRequest }) request: TokenRequest,
    @CurrentClient() client: ClientPrincipal,
    @Source() source: RequestSource,
  ): Promise<TokenResponse> {
    return this.tokens.grant(client, request, source);
  }
}

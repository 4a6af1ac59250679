import { Body, Controller, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { type ClientPrincipal, CurrentClient } from '../common/principal.js';
import { IntrospectionService } from './introspection.service.js';
import { OAuthEndpoint } from './oauth-endpoint.decorator.js';
import { type IntrospectionRequest, introspectionRequest, introspectionResponse } from './oauth.schemas.js';

@ApiTags('Services')
@Controller('oauth')
export class IntrospectionController {
  constructor(private readonly introspection: IntrospectionService) {}

  @Post('introspect')
  @OAuthEndpoint()
  @ApiOperation({
    operationId: 'introspect',
    summary: 'Whether an access token counts now (RFC 7662)',
    description:
      'Says so to whom the token is for, and to the client that got it. Says why to nobody: what does not count, and what is ' +
      'somebody else’s, is `{ "active": false }`.',
  })
  @ApiOkResponse({ standardSchema: introspectionResponse, description: 'Whether it does.' })
  introspect(
    @Body({ schema: introspectionRequest }) { token }: IntrospectionRequest,
    @CurrentClient() client: ClientPrincipal,
  ) {
    return this.introspection.introspect(token, client);
  }
}

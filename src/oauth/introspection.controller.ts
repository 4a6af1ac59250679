import { Body, Controller, Header, HttpCode, Post, UseFilters } from '@nestjs/common';
import { ApiConsumes, ApiExtension, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { Access } from '../common/access.js';
import { type IntrospectionRequest, introspectionRequest, introspectionResponse, oauthError } from './oauth.schemas.js';
import { IntrospectionService } from './introspection.service.js';
import { OAuthErrorFilter } from './oauth-error.filter.js';

@ApiTags('Services')
@Controller('oauth')
@Access('client')
@UseFilters(OAuthErrorFilter)
export class IntrospectionController {
  constructor(private readonly introspection: IntrospectionService) {}

  @Post('introspect')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'introspect',
    summary: 'Whether an access token counts now (RFC 7662)',
    description: 'Says why to nobody: what does not count is `{ "active": false }`.',
  })
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiOkResponse({ standardSchema: introspectionResponse, description: 'Whether it does.' })
  @ApiResponse({ status: 400, standardSchema: oauthError, description: '`invalid_request`.' })
  @ApiResponse({ status: 401, standardSchema: oauthError, description: '`invalid_client`.' })
  @ApiExtension('x-oauth-errors', true)
  introspect(@Body({ schema: introspectionRequest }) { token }: IntrospectionRequest) {
    return this.introspection.introspect(token);
  }
}

import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { ASSERTION_ALGORITHMS } from '../clients/client-jwks.js';
import { Access } from '../common/access.js';
import { clientAuthMethods } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import { CONFIG, type Config } from '../config/config.js';
import { type ServerMetadata, serverMetadata } from './oauth.schemas.js';

/** Where OAuth clients find everything (RFC 8414). It names no scope: which there are is between a client and its administrator. */
@ApiTags('Services')
@Controller('.well-known')
export class MetadataController {
  private readonly metadata: ServerMetadata;

  constructor(@Inject(CONFIG) { tokens, http }: Config) {
    const methods = [...clientAuthMethods];
    const algorithms = [...ASSERTION_ALGORITHMS];
    this.metadata = {
      issuer: tokens.issuer,
      token_endpoint: `${http.publicUrl}/oauth/token`,
      jwks_uri: `${http.publicUrl}/.well-known/jwks.json`,
      introspection_endpoint: `${http.publicUrl}/oauth/introspect`,
      revocation_endpoint: `${http.publicUrl}/oauth/revoke`,
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: methods,
      token_endpoint_auth_signing_alg_values_supported: algorithms,
      introspection_endpoint_auth_methods_supported: methods,
      introspection_endpoint_auth_signing_alg_values_supported: algorithms,
      revocation_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_signing_alg_values_supported: algorithms,
      service_documentation: `${http.publicUrl}/docs`,
    };
  }

  @Get('oauth-authorization-server')
  @Access('public')
  @Header('Cache-Control', 'public, max-age=300')
  @ApiOperation({
    operationId: 'getAuthorizationServerMetadata',
    summary: 'Where OAuth clients find what (RFC 8414)',
  })
  @ApiOkResponse({ standardSchema: serverMetadata, description: 'Endpoints, methods and algorithms.' })
  @ApiProblems()
  get(): ServerMetadata {
    return this.metadata;
  }
}

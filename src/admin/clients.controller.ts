import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Access, StepUp } from '../common/access.js';
import { openCursor, pageQuery, type PageQuery, toPage } from '../common/paging.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import {
  CLIENT_TAKEN,
  CSRF_FAILED,
  NOT_FOUND,
  STEP_UP_REQUIRED,
  VALIDATION_FAILED,
} from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import {
  changeClientRequest,
  type ChangeClientRequest,
  clientId,
  clientPage,
  type ClientView,
  clientView,
  createClientRequest,
  type CreateClientRequest,
  type CreatedClient,
  createdClient,
  type RotatedSecret,
  rotatedSecret,
  rotateSecretRequest,
  type RotateSecretRequest,
  toClientView,
} from './clients.schemas.js';
import { AdminClientsService } from './clients.service.js';

@ApiTags('Administration')
@Controller('admin/clients')
export class AdminClientsController {
  constructor(private readonly clients: AdminClientsService) {}

  @Get()
  @Access({ permission: 'clients:read' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'listClients', summary: 'Services that authenticate as themselves' })
  @ApiOkResponse({ standardSchema: clientPage, description: 'A page of clients, newest first; no secret is shown.' })
  @ApiProblems(VALIDATION_FAILED)
  async list(@Query({ schema: pageQuery }) { limit, cursor }: PageQuery) {
    return toPage(await this.clients.list(limit + 1, openCursor(cursor)), limit, toClientView);
  }

  @Post()
  @Access({ permission: 'clients:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'createClient', summary: 'Make a client' })
  @ApiCreatedResponse({
    standardSchema: createdClient,
    description: 'The client and its secret, which is shown this once.',
  })
  @ApiProblems(CLIENT_TAKEN, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async create(
    @Body({ schema: createClientRequest }) request: CreateClientRequest,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<CreatedClient> {
    const { client, secret } = await this.clients.create(request, by, source);
    return { ...toClientView(client), client_secret: secret };
  }

  @Patch(':id')
  @Access({ permission: 'clients:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'changeClient',
    summary: 'Change what a client may get tokens for',
    description: 'Each member replaces the one before. The tokens that the client has count no more: it gets others.',
  })
  @ApiOkResponse({ standardSchema: clientView, description: 'The client as it is now.' })
  @ApiProblems(NOT_FOUND, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async change(
    @Param('id', { schema: clientId }) id: string,
    @Body({ schema: changeClientRequest }) request: ChangeClientRequest,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<ClientView> {
    return toClientView(await this.clients.change(id, request, by, source));
  }

  @Post(':id/secrets')
  @Access({ permission: 'clients:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'rotateClientSecret',
    summary: 'Give a client another secret',
    description:
      'The secret before stays good for `overlap_hours`; one from before that ends now, so that two at most are good. ' +
      'With 0 the tokens that the client has end too.',
  })
  @ApiCreatedResponse({ standardSchema: rotatedSecret, description: 'The secret, shown this once.' })
  @ApiProblems(NOT_FOUND, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async rotate(
    @Param('id', { schema: clientId }) id: string,
    @Body({ schema: rotateSecretRequest }) { overlap_hours }: RotateSecretRequest,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<RotatedSecret> {
    const { secret, previousExpiresAt } = await this.clients.rotate(id, overlap_hours, by, source);
    return { client_id: id, client_secret: secret, previous_expires_at: previousExpiresAt?.toISOString() ?? null };
  }

  @Delete(':id')
  @HttpCode(204)
  @Access({ permission: 'clients:write' })
  @StepUp()
  @ApiOperation({ operationId: 'disableClient', summary: 'Disable a client; what it was given counts no more' })
  @ApiNoContentResponse({ description: 'Disabled.' })
  @ApiProblems(NOT_FOUND, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async disable(
    @Param('id', { schema: clientId }) id: string,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<void> {
    await this.clients.disable(id, by, source);
  }
}

import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import type { Client } from '../clients/client.entity.js';
import { ClientsRepository } from '../clients/clients.repository.js';
import { ClientsService } from '../clients/clients.service.js';
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
import { Problem } from '../common/problem/problem.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { Database } from '../database/database.js';
import { Revoker } from '../revocations/revoker.js';
import {
  clientPage,
  clientView,
  createClientRequest,
  type CreateClientRequest,
  createdClient,
} from './admin.schemas.js';

const clientId = z.uuid('must be the id of a client').meta({ description: 'The id of a client.' });

@ApiTags('Administration')
@Controller('admin/clients')
export class AdminClientsController {
  constructor(
    private readonly clients: ClientsService,
    private readonly repository: ClientsRepository,
    private readonly database: Database,
    private readonly revoker: Revoker,
  ) {}

  @Get()
  @Access({ permission: 'clients:read' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'listClients', summary: 'Services that authenticate as themselves' })
  @ApiOkResponse({ standardSchema: clientPage, description: 'A page of clients, newest first; no secret is shown.' })
  @ApiProblems(VALIDATION_FAILED)
  async list(@Query({ schema: pageQuery }) { limit, cursor }: PageQuery) {
    return toPage(await this.repository.list(limit + 1, openCursor(cursor)), limit, toClientView);
  }

  @Post()
  @Access({ permission: 'clients:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'createClient', summary: 'Make a client' })
  @ApiCreatedResponse({
    standardSchema: createdClient,
    description: 'Its id and secret; the secret is shown this once.',
  })
  @ApiProblems(CLIENT_TAKEN, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async create(
    @Body({ schema: createClientRequest }) { name }: CreateClientRequest,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<z.infer<typeof createdClient>> {
    const made = await this.clients.create(name, source, by);
    if (!made) throw new Problem(CLIENT_TAKEN);
    return { client_id: made.clientId, name, client_secret: made.clientSecret };
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
    const cause = { reason: 'client_disabled', actorId: by.userId } as const;
    const count = await this.database.transaction((tx) => this.revoker.revoke(tx, { client: id }, cause, source));
    if (count === 0) throw new Problem(NOT_FOUND);
  }
}

const toClientView = ({ id, name, createdAt, disabledAt }: Client & { id: string }): z.infer<typeof clientView> => ({
  client_id: id,
  name,
  created_at: createdAt.toISOString(),
  disabled_at: disabledAt?.toISOString() ?? null,
});

import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';

import { Access, StepUp } from '../common/access.js';
import { Clock } from '../common/clock.js';
import { openCursor, pageQuery, type PageQuery, toPage } from '../common/paging.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import {
  CSRF_FAILED,
  EMAIL_TAKEN,
  LAST_ADMINISTRATOR,
  NOT_FOUND,
  STEP_UP_REQUIRED,
  USERNAME_TAKEN,
  VALIDATION_FAILED,
} from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import { revokedResponse, type RevokedResponse, sessionPage, toSessionView } from '../sessions/sessions.schemas.js';
import { UsersRepository } from '../users/users.repository.js';
import {
  type AdminUser,
  adminUser,
  adminUserPage,
  changeUserRequest,
  type ChangeUserRequest,
  createdUser,
  createUserRequest,
  type CreateUserRequest,
  linkResponse,
  type LinkResponse,
  releasedResponse,
  toAdminUser,
  userId,
  usersQuery,
  type UsersQuery,
} from './admin.schemas.js';
import { AdminUsersService, type IssuedLink } from './users.service.js';

@ApiTags('Administration')
@Controller('admin/users')
export class AdminUsersController {
  constructor(
    private readonly admin: AdminUsersService,
    private readonly users: UsersRepository,
    private readonly sessions: SessionsRepository,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Access({ permission: 'users:read' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'listUsers', summary: 'Accounts, newest first; by how a name begins, role, or state' })
  @ApiOkResponse({ standardSchema: adminUserPage, description: 'A page of accounts.' })
  @ApiProblems(VALIDATION_FAILED)
  async list(@Query({ schema: usersQuery }) { limit, cursor, ...filter }: UsersQuery) {
    return toPage(await this.users.list(filter, limit + 1, openCursor(cursor)), limit, toAdminUser);
  }

  @Post()
  @Access({ permission: 'users:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'createUser',
    summary: 'Make an account; its owner chooses the password by a link',
    description: 'No administrator sets a password for somebody. The link works once, for a week.',
  })
  @ApiCreatedResponse({ standardSchema: createdUser, description: 'Made.' })
  @ApiProblems(USERNAME_TAKEN, EMAIL_TAKEN, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async create(
    @Body({ schema: createUserRequest }) body: CreateUserRequest,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<z.infer<typeof createdUser>> {
    const { account, link } = await this.admin.create(body, by, source);
    return { user: toAdminUser(account), link: toLinkResponse(link) };
  }

  @Get(':id')
  @Access({ permission: 'users:read' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'getUser', summary: 'An account' })
  @ApiOkResponse({ standardSchema: adminUser, description: 'The account.' })
  @ApiProblems(NOT_FOUND, VALIDATION_FAILED)
  async get(@Param('id', { schema: userId }) id: string): Promise<AdminUser> {
    return toAdminUser(await this.admin.get(id));
  }

  @Patch(':id')
  @Access({ permission: 'users:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'changeUser',
    summary: 'Change roles, disable an account, or have its password changed',
    description:
      'Takes effect at once: what the user may do here, and within a second at services that follow the feed.',
  })
  @ApiOkResponse({ standardSchema: adminUser, description: 'The account as it is now.' })
  @ApiProblems(NOT_FOUND, LAST_ADMINISTRATOR, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async change(
    @Param('id', { schema: userId }) id: string,
    @Body({ schema: changeUserRequest }) body: ChangeUserRequest,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<AdminUser> {
    return toAdminUser(await this.admin.change(id, body, by, source));
  }

  @Delete(':id')
  @HttpCode(204)
  @Access({ permission: 'users:write' })
  @StepUp()
  @ApiOperation({ operationId: 'deleteUser', summary: 'Delete an account for good; the audit log keeps its id' })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems(NOT_FOUND, LAST_ADMINISTRATOR, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  delete(
    @Param('id', { schema: userId }) id: string,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<void> {
    return this.admin.delete(id, by, source);
  }

  @Post(':id/link')
  @HttpCode(200)
  @Access({ permission: 'users:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'issueLink', summary: 'Make a link by which the user chooses a new password' })
  @ApiOkResponse({ standardSchema: linkResponse, description: 'Works once, for an hour; those before work no more.' })
  @ApiProblems(NOT_FOUND, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async issueLink(
    @Param('id', { schema: userId }) id: string,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<LinkResponse> {
    return toLinkResponse(await this.admin.issueLink(id, by, source));
  }

  @Post(':id/unlock')
  @HttpCode(200)
  @Access({ permission: 'users:write' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'unlockUser',
    summary: 'Release an account from its locks, at every network, browser and second factor',
  })
  @ApiOkResponse({ standardSchema: releasedResponse, description: 'Released.' })
  @ApiProblems(NOT_FOUND, CSRF_FAILED, VALIDATION_FAILED)
  async unlock(
    @Param('id', { schema: userId }) id: string,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<z.infer<typeof releasedResponse>> {
    return { released: await this.admin.unlock(id, by, source) };
  }

  @Post(':id/reset-factors')
  @HttpCode(200)
  @Access({ permission: 'users:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'resetFactors',
    summary: 'Take all second factors of an account away; its sessions end',
    description: 'For whoever lost them and has no recovery code left. Make sure that it is really them who ask.',
  })
  @ApiOkResponse({ standardSchema: revokedResponse, description: 'Reset.' })
  @ApiProblems(NOT_FOUND, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async resetFactors(
    @Param('id', { schema: userId }) id: string,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<RevokedResponse> {
    return { revoked: await this.admin.resetFactors(id, by, source) };
  }

  @Get(':id/sessions')
  @Access({ permission: 'sessions:read' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'listUserSessions', summary: 'Where a user is signed in' })
  @ApiOkResponse({ standardSchema: sessionPage, description: 'A page of live sessions, newest first.' })
  @ApiProblems(NOT_FOUND, VALIDATION_FAILED)
  async listSessions(
    @Param('id', { schema: userId }) id: string,
    @Query({ schema: pageQuery }) { limit, cursor }: PageQuery,
    @CurrentUser() by: Principal,
  ) {
    await this.admin.get(id);
    const rows = await this.sessions.listLive(id, limit + 1, openCursor(cursor), this.clock.now());
    return toPage(rows, limit, toSessionView(by.sessionId));
  }

  @Post(':id/revoke-sessions')
  @HttpCode(200)
  @Access({ permission: 'sessions:write' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'endUserSessions', summary: 'End all sessions of a user' })
  @ApiOkResponse({ standardSchema: revokedResponse, description: 'Ended.' })
  @ApiProblems(NOT_FOUND, CSRF_FAILED, VALIDATION_FAILED)
  async endSessions(
    @Param('id', { schema: userId }) id: string,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<RevokedResponse> {
    return { revoked: await this.admin.endSessions(id, by, source) };
  }
}

const toLinkResponse = ({ token, purpose, expiresAt }: IssuedLink): LinkResponse => ({
  token,
  purpose,
  expires_at: expiresAt.toISOString(),
});

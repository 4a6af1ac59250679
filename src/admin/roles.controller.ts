import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';

import { PERMISSIONS } from '../access/permissions.js';
import type { Role } from '../access/role.entity.js';
import { roleName } from '../access/role-name.js';
import { RolesRepository } from '../access/roles.repository.js';
import { Access, StepUp } from '../common/access.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import {
  CSRF_FAILED,
  NOT_FOUND,
  ROLE_BUILT_IN,
  ROLE_TAKEN,
  STEP_UP_REQUIRED,
  VALIDATION_FAILED,
} from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import {
  changeRoleRequest,
  type ChangeRoleRequest,
  createRoleRequest,
  type CreateRoleRequest,
  roleList,
  roleView,
} from './admin.schemas.js';
import { AdminRolesService } from './roles.service.js';

@ApiTags('Administration')
@Controller('admin/roles')
export class AdminRolesController {
  constructor(
    private readonly admin: AdminRolesService,
    private readonly roles: RolesRepository,
  ) {}

  @Get()
  @Access({ permission: 'roles:read' })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'listRoles', summary: 'All roles, and the permissions that the service asks for' })
  @ApiOkResponse({ standardSchema: roleList, description: 'All of them.' })
  @ApiProblems()
  async list(): Promise<z.infer<typeof roleList>> {
    return { items: (await this.roles.list()).map(toRoleView), next_cursor: null, known_permissions: PERMISSIONS };
  }

  @Post()
  @Access({ permission: 'roles:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'createRole', summary: 'Make a role' })
  @ApiCreatedResponse({ standardSchema: roleView, description: 'Made.' })
  @ApiProblems(ROLE_TAKEN, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async create(
    @Body({ schema: createRoleRequest }) { name, permissions }: CreateRoleRequest,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<z.infer<typeof roleView>> {
    return toRoleView(await this.admin.create(name, permissions, by, source));
  }

  @Patch(':name')
  @Access({ permission: 'roles:write' })
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'changeRole', summary: 'Change what a role allows, for whoever has it, at once' })
  @ApiOkResponse({ standardSchema: roleView, description: 'The role as it is now.' })
  @ApiProblems(NOT_FOUND, ROLE_BUILT_IN, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  async change(
    @Param('name', { schema: roleName }) name: string,
    @Body({ schema: changeRoleRequest }) { permissions }: ChangeRoleRequest,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<z.infer<typeof roleView>> {
    return toRoleView(await this.admin.change(name, permissions, by, source));
  }

  @Delete(':name')
  @HttpCode(204)
  @Access({ permission: 'roles:write' })
  @StepUp()
  @ApiOperation({ operationId: 'deleteRole', summary: 'Delete a role, and take it from whoever has it' })
  @ApiNoContentResponse({ description: 'Deleted.' })
  @ApiProblems(NOT_FOUND, ROLE_BUILT_IN, STEP_UP_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  delete(
    @Param('name', { schema: roleName }) name: string,
    @CurrentUser() by: Principal,
    @Source() source: RequestSource,
  ): Promise<void> {
    return this.admin.delete(name, by, source);
  }
}

const toRoleView = ({ name, permissions, builtIn, createdAt }: Role): z.infer<typeof roleView> => ({
  name,
  permissions,
  built_in: builtIn,
  created_at: createdAt.toISOString(),
});

import { Body, Controller, Delete, Get, Header, HttpCode, Patch } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';

import { Access, StepUp } from '../common/access.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import {
  ACCOUNT_LOCKED,
  CSRF_FAILED,
  EMAIL_TAKEN,
  INVALID_CREDENTIALS,
  LAST_ADMINISTRATOR,
  STEP_UP_REQUIRED,
  USERNAME_TAKEN,
  VALIDATION_FAILED,
} from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { userResponse, type UserResponse } from '../users/users.schemas.js';
import {
  changeProfileRequest,
  type ChangeProfileRequest,
  deleteAccountRequest,
  type DeleteAccountRequest,
  deletionResponse,
  ownDataResponse,
  type OwnData,
} from './auth.schemas.js';
import { OwnDataService } from './own-data.service.js';
import { ProfileService } from './profile.service.js';
import { toUserResponse } from './user-view.js';

@ApiTags('Account')
@Controller('auth/me')
@Access('user')
@StepUp()
export class OwnDataController {
  constructor(
    private readonly profiles: ProfileService,
    private readonly ownData: OwnDataService,
  ) {}

  @Patch()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'changeMe', summary: 'Change my username or e-mail address' })
  @ApiOkResponse({ standardSchema: userResponse, description: 'The account as it is now.' })
  @ApiProblems(
    INVALID_CREDENTIALS,
    USERNAME_TAKEN,
    EMAIL_TAKEN,
    STEP_UP_REQUIRED,
    ACCOUNT_LOCKED,
    CSRF_FAILED,
    VALIDATION_FAILED,
  )
  async changeMe(
    @Body({ schema: changeProfileRequest }) body: ChangeProfileRequest,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<UserResponse> {
    return toUserResponse(await this.profiles.change(user, body, source));
  }

  @Get('export')
  @Header('Cache-Control', 'no-store')
  @Header('Content-Disposition', 'attachment; filename="account.json"')
  @ApiOperation({ operationId: 'exportMe', summary: 'Take along all that the service knows of me; no secrets' })
  @ApiOkResponse({ standardSchema: ownDataResponse, description: 'Profile, factors, sessions, devices and activity.' })
  @ApiProblems(STEP_UP_REQUIRED)
  exportMe(@CurrentUser() user: Principal, @Source() source: RequestSource): Promise<OwnData> {
    return this.ownData.export(user, source);
  }

  @Delete()
  @HttpCode(202)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'deleteMe',
    summary: 'Delete my account',
    description: 'All sessions end now. Whoever signs in within the grace keeps the account.',
  })
  @ApiAcceptedResponse({ standardSchema: deletionResponse, description: 'It will be deleted.' })
  @ApiProblems(
    INVALID_CREDENTIALS,
    LAST_ADMINISTRATOR,
    STEP_UP_REQUIRED,
    ACCOUNT_LOCKED,
    CSRF_FAILED,
    VALIDATION_FAILED,
  )
  async deleteMe(
    @Body({ schema: deleteAccountRequest }) { password }: DeleteAccountRequest,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<z.infer<typeof deletionResponse>> {
    return { deleted_at: (await this.ownData.delete(user, password, source)).toISOString() };
  }
}

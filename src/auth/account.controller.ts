import { Body, Controller, Get, Header, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

import { Access, OpenBeforePasswordChange, OpenBeforeSecondFactor } from '../common/access.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import {
  ACCOUNT_LOCKED,
  CSRF_FAILED,
  INVALID_CREDENTIALS,
  TOKEN_REVOKED,
  VALIDATION_FAILED,
  WEAK_PASSWORD,
} from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { revokedResponse, type RevokedResponse } from '../sessions/sessions.schemas.js';
import { UsersRepository } from '../users/users.repository.js';
import { changePasswordRequest, type ChangePasswordRequest, meResponse, type MeResponse } from './auth.schemas.js';
import { PasswordChangeService } from './password-change.service.js';
import { toUserResponse } from './user-view.js';

@ApiTags('Account')
@Controller('auth')
@Access('user')
@OpenBeforePasswordChange()
@OpenBeforeSecondFactor()
export class AccountController {
  constructor(
    private readonly users: UsersRepository,
    private readonly passwordChanges: PasswordChangeService,
  ) {}

  @Get('me')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'getMe', summary: 'Who am I' })
  @ApiOkResponse({ standardSchema: meResponse, description: 'The account, and the session that asks.' })
  @ApiProblems()
  async me(@CurrentUser() user: Principal): Promise<MeResponse> {
    const account = await this.users.findById(user.userId);
    if (!account) throw new Problem(TOKEN_REVOKED);
    const methods = account.second_factors;
    const mfa = { enabled: methods.length > 0, methods };
    return { ...toUserResponse(account), session_id: user.sessionId, mfa };
  }

  @Post('change-password')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'changePassword', summary: 'Change my password; my other sessions end' })
  @ApiOkResponse({ standardSchema: revokedResponse, description: 'Changed.' })
  @ApiProblems(INVALID_CREDENTIALS, ACCOUNT_LOCKED, CSRF_FAILED, VALIDATION_FAILED, WEAK_PASSWORD)
  async changePassword(
    @Body({ schema: changePasswordRequest }) body: ChangePasswordRequest,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<RevokedResponse> {
    return { revoked: await this.passwordChanges.change(user, body, source) };
  }
}

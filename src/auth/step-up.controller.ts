import { Body, Controller, Delete, Header, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';

import { Access, OpenBeforeSecondFactor } from '../common/access.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import {
  ACCOUNT_LOCKED,
  CSRF_FAILED,
  INVALID_CREDENTIALS,
  MFA_ENROLLMENT_REQUIRED,
  MFA_INVALID,
  NOT_FOUND,
  VALIDATION_FAILED,
} from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { webauthnOptions } from '../mfa/mfa.schemas.js';
import { KnownBrowser } from '../sessions/known-browser.js';
import { RefreshService } from '../sessions/refresh.service.js';
import type { RefreshResponse } from './auth.schemas.js';
import { TransportHeader } from './documented-headers.js';
import {
  removeTotpRequest,
  type RemoveTotpRequest,
  stepUpRequest,
  type StepUpRequest,
  stepUpResponse,
} from './step-up.schemas.js';
import { SessionTransport } from './session-transport.js';
import { StepUpService } from './step-up.service.js';

const totpId = z
  .uuid('must be the id of an authenticator app')
  .meta({ description: 'The id of an authenticator app.' });

/** For people who are signed in: proving themselves again. */
@ApiTags('Second factors')
@Controller('auth')
@Access('user')
@OpenBeforeSecondFactor()
export class StepUpController {
  constructor(
    private readonly stepUps: StepUpService,
    private readonly refreshes: RefreshService,
    private readonly transport: SessionTransport,
    private readonly knownBrowser: KnownBrowser,
  ) {}

  @Post('step-up')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'stepUp',
    summary: 'Prove myself again, by any factor that I have',
    description: 'A refresh token that comes along is spent, and its successor carries the new proof too.',
  })
  @TransportHeader
  @ApiOkResponse({ standardSchema: stepUpResponse, description: 'An access token with a new `auth_time`.' })
  @ApiProblems(INVALID_CREDENTIALS, MFA_INVALID, ACCOUNT_LOCKED, CSRF_FAILED, VALIDATION_FAILED)
  async stepUp(
    @Body({ schema: stepUpRequest }) body: StepUpRequest,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RefreshResponse> {
    const session = await this.stepUps.stepUp(user, body, await this.knownBrowser.of(request, user.userId), source);
    const token = this.transport.refreshTokenOfSession(request, body, user.sessionId);
    if (!token) return this.transport.answerStepUp(session);
    const device = () => this.transport.deviceOf(request, undefined);
    const granted = await this.refreshes.refresh(token, null, device, source);
    return this.transport.answerRefresh(granted, request, response);
  }

  @Post('step-up/options')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'stepUpOptions', summary: 'What the browser needs to step up by a passkey' })
  @ApiOkResponse({ standardSchema: webauthnOptions, description: 'Good for five minutes, once.' })
  @ApiProblems(CSRF_FAILED)
  stepUpOptions(@CurrentUser() user: Principal) {
    return this.stepUps.passkeyOptions(user);
  }

  @Delete('2fa/totp')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'removeAllTotp',
    summary: 'Take all my authenticator apps away; the code may be a recovery code',
  })
  @ApiNoContentResponse({ description: 'Removed.' })
  @ApiProblems(
    INVALID_CREDENTIALS,
    MFA_INVALID,
    MFA_ENROLLMENT_REQUIRED,
    ACCOUNT_LOCKED,
    NOT_FOUND,
    CSRF_FAILED,
    VALIDATION_FAILED,
  )
  async removeAllTotp(
    @Body({ schema: removeTotpRequest }) body: RemoveTotpRequest,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
    @Req() request: Request,
  ): Promise<void> {
    const deviceKey = await this.knownBrowser.of(request, user.userId);
    await this.stepUps.removeTotp(user, undefined, body, deviceKey, source);
  }

  @Delete('2fa/totp/:id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'removeTotp',
    summary: 'Take one of my authenticator apps away; the code may be a recovery code',
  })
  @ApiNoContentResponse({ description: 'Removed.' })
  @ApiProblems(
    INVALID_CREDENTIALS,
    MFA_INVALID,
    MFA_ENROLLMENT_REQUIRED,
    ACCOUNT_LOCKED,
    NOT_FOUND,
    CSRF_FAILED,
    VALIDATION_FAILED,
  )
  async removeTotp(
    @Param('id', { schema: totpId }) id: string,
    @Body({ schema: removeTotpRequest }) body: RemoveTotpRequest,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
    @Req() request: Request,
  ): Promise<void> {
    const deviceKey = await this.knownBrowser.of(request, user.userId);
    await this.stepUps.removeTotp(user, id, body, deviceKey, source);
  }
}

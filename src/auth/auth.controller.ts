import { Body, Controller, Get, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';

import { Access, CsrfProtected, OpenBeforePasswordChange, OpenBeforeSecondFactor } from '../common/access.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import {
  ACCOUNT_DISABLED,
  ACCOUNT_LOCKED,
  CSRF_FAILED,
  EMAIL_TAKEN,
  INVALID_CREDENTIALS,
  MFA_ENROLLMENT_REQUIRED,
  TOKEN_EXPIRED,
  TOKEN_INVALID,
  TOKEN_MISSING,
  TOKEN_REVOKED,
  USERNAME_TAKEN,
  VALIDATION_FAILED,
  WEAK_PASSWORD,
} from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { RateLimit } from '../protection/rate-limit.js';
import { RefreshService } from '../sessions/refresh.service.js';
import { revokedResponse, type RevokedResponse } from '../sessions/sessions.schemas.js';
import {
  csrfResponse,
  type EnrollmentResponse,
  type HalfWayResponse,
  loginRequest,
  loginResponse,
  type LoginRequest,
  logoutRequest,
  type LogoutRequest,
  refreshRequest,
  type RefreshRequest,
  refreshResponse,
  type RefreshResponse,
  registerRequest,
  registerResponse,
  resetPasswordRequest,
  type ResetPasswordRequest,
  type RegisterRequest,
  type SignInResponse,
} from './auth.schemas.js';
import { CsrfHeader, TransportHeader } from './documented-headers.js';
import { PasswordResetService } from './password-reset.service.js';
import { RegistrationService } from './registration.service.js';
import { halfWayMembersOf, SessionTransport } from './session-transport.js';
import { SignInService } from './sign-in.service.js';
import { SignOutService } from './sign-out.service.js';

@ApiTags('Sign-in')
@Controller('auth')
@Access('public')
export class AuthController {
  constructor(
    private readonly registration: RegistrationService,
    private readonly signIns: SignInService,
    private readonly signOuts: SignOutService,
    private readonly refreshes: RefreshService,
    private readonly passwordResets: PasswordResetService,
    private readonly transport: SessionTransport,
  ) {}

  @Post('register')
  @CsrfProtected()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'register', summary: 'Make an account and sign in' })
  @TransportHeader
  @CsrfHeader
  @ApiConsumes('application/json', 'application/x-www-form-urlencoded')
  @ApiCreatedResponse({
    standardSchema: registerResponse,
    description: 'The account was made, and its first session has begun; or a second factor is to be set up first.',
  })
  @ApiProblems(CSRF_FAILED, USERNAME_TAKEN, EMAIL_TAKEN, VALIDATION_FAILED, WEAK_PASSWORD)
  async register(
    @Body({ schema: registerRequest }) body: RegisterRequest,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SignInResponse | EnrollmentResponse> {
    const outcome = await this.registration.register(body, this.transport.originOf(request, body.device_id, source));
    if (!('halfWay' in outcome)) return this.transport.answerSignIn(outcome, request, response);
    return { mfa_enrollment_required: true, ...halfWayMembersOf(outcome) };
  }

  @Post('login')
  @HttpCode(200)
  @CsrfProtected()
  @RateLimit('login')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'login',
    summary: 'Sign in',
    description: 'Takes JSON, a form, or the OAuth2 password form; the last one is answered without cookies.',
  })
  @TransportHeader
  @CsrfHeader
  @ApiConsumes('application/json', 'application/x-www-form-urlencoded')
  @ApiOkResponse({
    standardSchema: loginResponse,
    description: 'Signed in; or the password was right, and a second step is to come.',
  })
  @ApiProblems(
    INVALID_CREDENTIALS,
    CSRF_FAILED,
    ACCOUNT_DISABLED,
    ACCOUNT_LOCKED,
    MFA_ENROLLMENT_REQUIRED,
    VALIDATION_FAILED,
  )
  async login(
    @Body({ schema: loginRequest }) body: LoginRequest,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SignInResponse | HalfWayResponse> {
    const outcome = await this.signIns.signIn(body, this.transport.originOf(request, body.device_id, source));
    if (!('halfWay' in outcome)) return this.transport.answerSignIn(outcome, request, response);
    return { mfa_required: true, ...halfWayMembersOf(outcome) };
  }

  @Get('csrf')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'getCsrfToken', summary: 'Get the CSRF token of this browser' })
  @ApiOkResponse({ standardSchema: csrfResponse, description: 'The token; also set as the XSRF-TOKEN cookie.' })
  @ApiProblems()
  csrf(@Req() request: Request, @Res({ passthrough: true }) response: Response) {
    return { csrf_token: this.transport.csrfToken(request, response) };
  }

  @Post('refresh')
  @HttpCode(200)
  @CsrfProtected()
  @RateLimit('refresh')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'refresh',
    summary: 'Go on with a session: a new access token, and the next refresh token',
  })
  @TransportHeader
  @CsrfHeader
  @ApiOkResponse({ standardSchema: refreshResponse, description: 'The session goes on.' })
  @ApiProblems(TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_REVOKED, CSRF_FAILED, VALIDATION_FAILED)
  async refresh(
    @Body({ schema: refreshRequest }) body: RefreshRequest,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RefreshResponse> {
    const token = this.transport.openRefreshToken(request, body);
    const device = () => this.transport.deviceOf(request, body?.device_id);
    const granted = await this.refreshes.refresh(token, body?.device_id ?? null, device, source);
    return this.transport.answerRefresh(granted, request, response);
  }

  @Post('reset-password')
  @HttpCode(200)
  @CsrfProtected()
  @RateLimit('login')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'resetPassword',
    summary: 'Choose a password by a one-time link; all my sessions end',
    description: 'Signs nobody in: the next step is a sign-in, with its second factor where there is one.',
  })
  @TransportHeader
  @CsrfHeader
  @ApiOkResponse({ standardSchema: revokedResponse, description: 'The password is set.' })
  @ApiProblems(TOKEN_INVALID, CSRF_FAILED, VALIDATION_FAILED, WEAK_PASSWORD)
  async resetPassword(
    @Body({ schema: resetPasswordRequest }) body: ResetPasswordRequest,
    @Source() source: RequestSource,
  ): Promise<RevokedResponse> {
    return { revoked: await this.passwordResets.reset(body, source) };
  }

  @Post('logout')
  @HttpCode(200)
  @CsrfProtected()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'logout',
    summary: 'Sign out',
    description: 'Ends the session of the refresh token and of the bearer token. A stale token is no error.',
  })
  @TransportHeader
  @CsrfHeader
  @ApiOkResponse({ standardSchema: revokedResponse, description: 'Signed out.' })
  @ApiProblems(CSRF_FAILED, VALIDATION_FAILED)
  async logout(
    @Body({ schema: logoutRequest }) body: LogoutRequest,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RevokedResponse> {
    const revoked = await this.signOuts.signOut(
      this.transport.refreshTokenOf(request, body),
      this.transport.accessTokenOf(request),
      source,
    );
    this.transport.clear(request, response);
    return { revoked };
  }

  @Post('logout-all')
  @HttpCode(200)
  @Access('user')
  @OpenBeforePasswordChange()
  @OpenBeforeSecondFactor()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'logoutAll', summary: 'Sign out everywhere: all my sessions end, this one too' })
  @ApiOkResponse({ standardSchema: revokedResponse, description: 'Signed out.' })
  @ApiProblems(CSRF_FAILED)
  async logoutAll(
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RevokedResponse> {
    const revoked = await this.signOuts.signOutEverywhere(user, source);
    this.transport.clear(request, response);
    return { revoked };
  }
}

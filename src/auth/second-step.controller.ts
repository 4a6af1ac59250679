import { Body, Controller, Header, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { z } from 'zod';

import { Access, CsrfProtected } from '../common/access.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import {
  ACCOUNT_DISABLED,
  ACCOUNT_LOCKED,
  CSRF_FAILED,
  MFA_INVALID,
  TOO_MANY_FACTORS,
  VALIDATION_FAILED,
} from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { totpSetUp, webauthnOptions } from '../mfa/mfa.schemas.js';
import { RateLimit } from '../protection/rate-limit.js';
import { signInResponse, type SignInResponse } from './auth.schemas.js';
import { CsrfHeader, TransportHeader } from './documented-headers.js';
import {
  confirmEnrollmentRequest,
  type ConfirmEnrollmentRequest,
  enrolledResponse,
  type EnrolledResponse,
  mfaTokenRequest,
  type MfaTokenRequest,
  passkeySignInRequest,
  type PasskeySignInRequest,
  secondStepRequest,
  type SecondStepRequest,
} from './second-step.schemas.js';
import { SecondStepService } from './second-step.service.js';
import { SessionTransport } from './session-transport.js';

/** Signing in by more than a password: the second step, its set-up, and passkeys alone. */
@ApiTags('Sign-in')
@Controller('auth')
@Access('public')
@TransportHeader
@CsrfHeader
export class SecondStepController {
  constructor(
    private readonly secondSteps: SecondStepService,
    private readonly transport: SessionTransport,
  ) {}

  @Post('2fa/verify')
  @HttpCode(200)
  @CsrfProtected()
  @RateLimit('login')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'verifySecondStep',
    summary: 'Complete a sign-in by a second factor',
    description: 'From the browser that began it, within five minutes; five wrong codes end it.',
  })
  @ApiOkResponse({ standardSchema: signInResponse, description: 'Signed in.' })
  @ApiProblems(MFA_INVALID, CSRF_FAILED, ACCOUNT_DISABLED, ACCOUNT_LOCKED, VALIDATION_FAILED)
  async verify(
    @Body({ schema: secondStepRequest }) body: SecondStepRequest,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SignInResponse> {
    const signedIn = await this.secondSteps.verify(body, this.transport.originOf(request, body.device_id, source));
    return this.transport.answerSignIn(signedIn, request, response);
  }

  @Post('2fa/options')
  @HttpCode(200)
  @CsrfProtected()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'secondStepOptions',
    summary: 'What the browser needs to complete a sign-in by a passkey',
  })
  @ApiOkResponse({ standardSchema: webauthnOptions, description: 'Good for five minutes, once.' })
  @ApiProblems(MFA_INVALID, CSRF_FAILED, VALIDATION_FAILED)
  options(@Body({ schema: mfaTokenRequest }) { mfa_token }: MfaTokenRequest, @Req() request: Request) {
    return this.secondSteps.passkeyOptions(mfa_token, this.transport.browserOf(request));
  }

  @Post('2fa/enrollment/totp')
  @HttpCode(200)
  @CsrfProtected()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'enrollTotp',
    summary: 'Set up an authenticator app, where the policy lets nobody in without one',
    description: 'With the token that `mfa_enrollment_required` came with; it opens nothing else.',
  })
  @ApiOkResponse({ standardSchema: totpSetUp, description: 'The secret, as text, URI and QR code.' })
  @ApiProblems(MFA_INVALID, CSRF_FAILED, ACCOUNT_DISABLED, TOO_MANY_FACTORS, VALIDATION_FAILED)
  enrollTotp(
    @Body({ schema: mfaTokenRequest }) { mfa_token }: MfaTokenRequest,
    @Source() source: RequestSource,
    @Req() request: Request,
  ): Promise<z.infer<typeof totpSetUp>> {
    return this.secondSteps.setUpTotp(mfa_token, this.transport.browserOf(request), source);
  }

  @Post('2fa/enrollment/totp/confirm')
  @HttpCode(200)
  @CsrfProtected()
  @RateLimit('login')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'confirmEnrollment', summary: 'Put it in use by its first code, and sign in' })
  @ApiOkResponse({
    standardSchema: enrolledResponse,
    description: 'Signed in; the recovery codes are shown this once.',
  })
  @ApiProblems(MFA_INVALID, CSRF_FAILED, ACCOUNT_DISABLED, ACCOUNT_LOCKED, VALIDATION_FAILED)
  async confirmEnrollment(
    @Body({ schema: confirmEnrollmentRequest }) body: ConfirmEnrollmentRequest,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EnrolledResponse> {
    const enrolled = await this.secondSteps.confirmTotp(body, this.transport.originOf(request, body.device_id, source));
    return {
      ...this.transport.answerSignIn(enrolled, request, response),
      recovery_codes: enrolled.recoveryCodes,
    };
  }

  @Post('passkeys/options')
  @HttpCode(200)
  @CsrfProtected()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'passkeySignInOptions',
    summary: 'What the browser needs to sign in by a passkey alone, without a name',
  })
  @ApiOkResponse({ standardSchema: webauthnOptions, description: 'Good for five minutes, once.' })
  @ApiProblems(CSRF_FAILED)
  signInOptions(@Req() request: Request) {
    return this.secondSteps.signInOptions(this.transport.browserOf(request));
  }

  @Post('passkeys/verify')
  @HttpCode(200)
  @CsrfProtected()
  @RateLimit('login')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'passkeySignIn', summary: 'Sign in by a passkey alone' })
  @ApiOkResponse({ standardSchema: signInResponse, description: 'Signed in.' })
  @ApiProblems(MFA_INVALID, CSRF_FAILED, ACCOUNT_DISABLED, VALIDATION_FAILED)
  async signIn(
    @Body({ schema: passkeySignInRequest }) body: PasskeySignInRequest,
    @Source() source: RequestSource,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SignInResponse> {
    const signedIn = await this.secondSteps.signIn(body, this.transport.originOf(request, body.device_id, source));
    return this.transport.answerSignIn(signedIn, request, response);
  }
}

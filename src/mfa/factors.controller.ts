import { Body, Controller, Delete, Get, Header, HttpCode, Param, Patch, Post, Req } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';

import { Access, OpenBeforeSecondFactor, StepUp } from '../common/access.js';
import { CurrentUser, type Principal } from '../common/principal.js';
import { ApiProblems } from '../common/problem/api-problems.decorator.js';
import {
  ACCOUNT_LOCKED,
  CSRF_FAILED,
  MFA_ENROLLMENT_REQUIRED,
  MFA_INVALID,
  NOT_FOUND,
  STEP_UP_REQUIRED,
  TOO_MANY_FACTORS,
  VALIDATION_FAILED,
} from '../common/problem/catalogue.js';
import { type RequestSource, Source } from '../common/request-source.js';
import { KnownBrowser } from '../sessions/known-browser.js';
import { FactorsService } from './factors.service.js';
import {
  addedPasskey,
  confirmTotpRequest,
  type ConfirmTotpRequest,
  factorsResponse,
  newPasskey,
  type NewPasskey,
  recoveryCodesResponse,
  type RecoveryCodesResponse,
  renamePasskeyRequest,
  type RenamePasskeyRequest,
  setUpTotpRequest,
  type SetUpTotpRequest,
  toPasskeyView,
  totpSetUp,
  toTotpView,
  webauthnOptions,
} from './mfa.schemas.js';

const passkeyId = z.uuid('must be the id of a passkey').meta({ description: 'The id of a passkey.' });

/** A user's own second factors. How they are used to sign in, `auth` knows. */
@ApiTags('Second factors')
@Controller('auth/2fa')
@Access('user')
@OpenBeforeSecondFactor()
export class FactorsController {
  constructor(
    private readonly factors: FactorsService,
    private readonly knownBrowser: KnownBrowser,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'listSecondFactors', summary: 'My second factors' })
  @ApiOkResponse({ standardSchema: factorsResponse, description: 'All of them; no secret is shown again.' })
  @ApiProblems()
  async list(@CurrentUser() user: Principal): Promise<z.infer<typeof factorsResponse>> {
    const { totp, passkeys, recoveryCodesLeft } = await this.factors.list(user.userId);
    return {
      totp: totp.map(toTotpView),
      passkeys: passkeys.map(toPasskeyView),
      recovery_codes_left: recoveryCodesLeft,
    };
  }

  @Post('totp')
  @HttpCode(200)
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'setUpTotp',
    summary: 'Set up an authenticator app',
    description: 'Its secret is shown this once. It counts when it is confirmed; setting up another one forgets it.',
  })
  @ApiOkResponse({ standardSchema: totpSetUp, description: 'The secret, as text, URI and QR code.' })
  @ApiProblems(STEP_UP_REQUIRED, TOO_MANY_FACTORS, CSRF_FAILED, VALIDATION_FAILED)
  setUpTotp(
    @Body({ schema: setUpTotpRequest }) body: SetUpTotpRequest,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<z.infer<typeof totpSetUp>> {
    return this.factors.setUpTotp(user, body?.name ?? 'Authenticator app', source);
  }

  @Post('totp/confirm')
  @HttpCode(200)
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'confirmTotp',
    summary: 'Put the authenticator app in use, by its first code',
    description: 'The session has proven the factor by it; access tokens say so from the next refresh on.',
  })
  @ApiOkResponse({ standardSchema: recoveryCodesResponse, description: 'In use.' })
  @ApiProblems(MFA_INVALID, STEP_UP_REQUIRED, ACCOUNT_LOCKED, CSRF_FAILED, VALIDATION_FAILED)
  async confirmTotp(
    @Body({ schema: confirmTotpRequest }) { code }: ConfirmTotpRequest,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
    @Req() request: Request,
  ): Promise<RecoveryCodesResponse> {
    const deviceKey = await this.knownBrowser.of(request, user.userId);
    return { recovery_codes: await this.factors.confirmOwnTotp(user, deviceKey, code, source) };
  }

  @Post('recovery-codes')
  @HttpCode(200)
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'renewRecoveryCodes',
    summary: 'Get new recovery codes; those before count no more',
  })
  @ApiOkResponse({ standardSchema: recoveryCodesResponse, description: 'The new set, shown this once.' })
  @ApiProblems(STEP_UP_REQUIRED, MFA_ENROLLMENT_REQUIRED, CSRF_FAILED)
  async renewRecoveryCodes(
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<RecoveryCodesResponse> {
    return { recovery_codes: await this.factors.renewRecoveryCodes(user, source) };
  }

  @Post('passkeys/options')
  @HttpCode(200)
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'passkeyCreationOptions', summary: 'What the browser needs to make a passkey' })
  @ApiOkResponse({ standardSchema: webauthnOptions, description: 'Good for five minutes, once.' })
  @ApiProblems(STEP_UP_REQUIRED, CSRF_FAILED)
  passkeyOptions(@CurrentUser() user: Principal) {
    return this.factors.passkeyOptions(user);
  }

  @Post('passkeys')
  @StepUp()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'addPasskey', summary: 'Add a passkey' })
  @ApiCreatedResponse({ standardSchema: addedPasskey, description: 'In use, as a second factor and to sign in alone.' })
  @ApiProblems(STEP_UP_REQUIRED, TOO_MANY_FACTORS, CSRF_FAILED, VALIDATION_FAILED)
  async addPasskey(
    @Body({ schema: newPasskey }) body: NewPasskey,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<z.infer<typeof addedPasskey>> {
    const { passkey, recoveryCodes } = await this.factors.addPasskey(user, body, source);
    return { ...toPasskeyView(passkey), recovery_codes: recoveryCodes };
  }

  @Patch('passkeys/:id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'renamePasskey', summary: 'Give a passkey another name' })
  @ApiNoContentResponse({ description: 'Renamed.' })
  @ApiProblems(NOT_FOUND, CSRF_FAILED, VALIDATION_FAILED)
  renamePasskey(
    @Param('id', { schema: passkeyId }) id: string,
    @Body({ schema: renamePasskeyRequest }) { name }: RenamePasskeyRequest,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<void> {
    return this.factors.renamePasskey(user, id, name, source);
  }

  @Delete('passkeys/:id')
  @HttpCode(204)
  @StepUp()
  @ApiOperation({ operationId: 'removePasskey', summary: 'Take a passkey away' })
  @ApiNoContentResponse({ description: 'Removed.' })
  @ApiProblems(NOT_FOUND, STEP_UP_REQUIRED, MFA_ENROLLMENT_REQUIRED, CSRF_FAILED, VALIDATION_FAILED)
  removePasskey(
    @Param('id', { schema: passkeyId }) id: string,
    @CurrentUser() user: Principal,
    @Source() source: RequestSource,
  ): Promise<void> {
    return this.factors.removePasskey(user, id, source);
  }
}

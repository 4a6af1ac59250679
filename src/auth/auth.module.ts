import { Module } from '@nestjs/common';

import { Janitor } from '../common/janitor.js';
import { MfaModule } from '../mfa/mfa.module.js';
import { PasswordsModule } from '../passwords/passwords.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountController } from './account.controller.js';
import { AuthController } from './auth.controller.js';
import { NewSessions } from './new-sessions.js';
import { OwnDataController } from './own-data.controller.js';
import { OwnDataService } from './own-data.service.js';
import { PasswordChangeService } from './password-change.service.js';
import { PasswordProof } from './password-proof.js';
import { PasswordResetService } from './password-reset.service.js';
import { ProfileService } from './profile.service.js';
import { RegistrationService } from './registration.service.js';
import { SecondStepController } from './second-step.controller.js';
import { SecondStepService } from './second-step.service.js';
import { SessionTransport } from './session-transport.js';
import { SignInAttempts } from './sign-in-attempts.repository.js';
import { SignInService } from './sign-in.service.js';
import { SignOutService } from './sign-out.service.js';
import { StepUpController } from './step-up.controller.js';
import { StepUpService } from './step-up.service.js';

@Module({
  imports: [MfaModule, PasswordsModule, UsersModule],
  controllers: [AuthController, SecondStepController, AccountController, OwnDataController, StepUpController],
  providers: [
    RegistrationService,
    SignInAttempts,
    SignInService,
    SecondStepService,
    NewSessions,
    SignOutService,
    PasswordProof,
    PasswordChangeService,
    ProfileService,
    OwnDataService,
    PasswordResetService,
    StepUpService,
    SessionTransport,
  ],
})
export class AuthModule {
  constructor(janitor: Janitor, ownData: OwnDataService) {
    janitor.add(ownData);
  }
}

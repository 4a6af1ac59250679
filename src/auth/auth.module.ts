import { Module } from '@nestjs/common';

import { PasswordsModule } from '../passwords/passwords.module.js';
import { ProtectionModule } from '../protection/protection.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountController } from './account.controller.js';
import { AuthController } from './auth.controller.js';
import { PasswordChangeService } from './password-change.service.js';
import { RegistrationService } from './registration.service.js';
import { SessionTransport } from './session-transport.js';
import { SignInAttempts } from './sign-in-attempts.js';
import { SignInService } from './sign-in.service.js';
import { SignOutService } from './sign-out.service.js';

@Module({
  imports: [ProtectionModule, PasswordsModule, UsersModule],
  controllers: [AuthController, AccountController],
  providers: [
    RegistrationService,
    SignInAttempts,
    SignInService,
    SignOutService,
    PasswordChangeService,
    SessionTransport,
  ],
})
export class AuthModule {}

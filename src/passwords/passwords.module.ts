import { Module } from '@nestjs/common';

import { PasswordPolicy } from './policy/password-policy.js';
import { PasswordHasher } from './password-hasher.js';

@Module({ providers: [PasswordHasher, PasswordPolicy], exports: [PasswordHasher, PasswordPolicy] })
export class PasswordsModule {}

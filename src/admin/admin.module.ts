import { Module } from '@nestjs/common';

import { MfaModule } from '../mfa/mfa.module.js';
import { UsersModule } from '../users/users.module.js';
import { ResetFactorsController } from './reset-factors.controller.js';
import { UnlockController } from './unlock.controller.js';

@Module({ imports: [MfaModule, UsersModule], controllers: [UnlockController, ResetFactorsController] })
export class AdminModule {}

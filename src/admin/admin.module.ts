import { Module } from '@nestjs/common';

import { ProtectionModule } from '../protection/protection.module.js';
import { UsersModule } from '../users/users.module.js';
import { UnlockController } from './unlock.controller.js';

@Module({ imports: [ProtectionModule, UsersModule], controllers: [UnlockController] })
export class AdminModule {}

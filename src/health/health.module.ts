import { Module } from '@nestjs/common';

import { TokensModule } from '../tokens/tokens.module.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';

@Module({ imports: [TokensModule], controllers: [HealthController], providers: [Readiness] })
export class HealthModule {}

import { Module } from '@nestjs/common';

import { ProtectionModule } from '../protection/protection.module.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.js';

@Module({ imports: [ProtectionModule, TokensModule], controllers: [MetricsController], providers: [Metrics] })
export class MetricsModule {}

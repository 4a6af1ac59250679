import { Module } from '@nestjs/common';

import { AccessModule } from '../access/access.module.js';
import { ProblemFilter } from '../common/problem/problem.filter.js';
import { IntrospectionController } from './introspection.controller.js';
import { IntrospectionService } from './introspection.service.js';
import { MetadataController } from './metadata.controller.js';
import { OAuthErrorFilter } from './oauth-error.filter.js';
import { TokenRevocationController } from './revocation.controller.js';
import { TokenRevocationService } from './revocation.service.js';
import { TokenController } from './token.controller.js';
import { TokenService } from './token.service.js';
import { TokenStanding } from './token-standing.js';

@Module({
  imports: [AccessModule],
  controllers: [TokenController, IntrospectionController, TokenRevocationController, MetadataController],
  providers: [
    TokenService,
    IntrospectionService,
    TokenRevocationService,
    TokenStanding,
    ProblemFilter,
    OAuthErrorFilter,
  ],
})
export class OAuthModule {}

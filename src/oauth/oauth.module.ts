import { Module } from '@nestjs/common';

import { AccessModule } from '../access/access.module.js';
import { ProblemFilter } from '../common/problem/problem.filter.js';
import { IntrospectionController } from './introspection.controller.js';
import { IntrospectionService } from './introspection.service.js';

@Module({
  imports: [AccessModule],
  controllers: [IntrospectionController],
  providers: [IntrospectionService, ProblemFilter],
})
export class OAuthModule {}

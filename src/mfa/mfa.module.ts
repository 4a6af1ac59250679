import { Module } from '@nestjs/common';

import { Janitor } from '../common/janitor.js';
import { ProtectionModule } from '../protection/protection.module.js';
import { UsersModule } from '../users/users.module.js';
import { Challenges } from './challenges.js';
import { FactorsController } from './factors.controller.js';
import { FactorsService } from './factors.service.js';
import { HalfWaySignIns } from './half-way-sign-ins.js';
import { Passkeys } from './passkeys.js';
import { PasskeysRepository } from './passkeys.repository.js';
import { RecoveryCodes } from './recovery-codes.js';
import { SecondFactors } from './second-factors.js';
import { TotpRepository } from './totp.repository.js';

@Module({
  imports: [ProtectionModule, UsersModule],
  controllers: [FactorsController],
  providers: [
    TotpRepository,
    RecoveryCodes,
    PasskeysRepository,
    Passkeys,
    Challenges,
    SecondFactors,
    HalfWaySignIns,
    FactorsService,
  ],
  exports: [ProtectionModule, SecondFactors, HalfWaySignIns, FactorsService, Passkeys],
})
export class MfaModule {
  constructor(janitor: Janitor, halfWays: HalfWaySignIns, challenges: Challenges) {
    janitor.add(halfWays);
    janitor.add(challenges);
  }
}

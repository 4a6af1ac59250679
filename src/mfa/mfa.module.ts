import { Module } from '@nestjs/common';

import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { Janitor } from '../common/janitor.js';
import { ProtectionModule } from '../protection/protection.module.js';
import { UsersModule } from '../users/users.module.js';
import { Challenges } from './challenges.repository.js';
import { FactorsController } from './factors.controller.js';
import { FactorsService } from './factors.service.js';
import { HalfWaySignIns } from './half-way-sign-ins.repository.js';
import { Passkeys } from './passkeys.js';
import { PasskeysRepository } from './passkeys.repository.js';
import { RecoveryCodes } from './recovery-codes.repository.js';
import { SecondFactors } from './second-factors.js';
import { SeedCipher } from './seed-cipher.js';
import { TotpRepository } from './totp.repository.js';

@Module({
  imports: [ProtectionModule, UsersModule],
  controllers: [FactorsController],
  providers: [
    { provide: SeedCipher, inject: [DerivedKeys], useFactory: (keys: DerivedKeys) => new SeedCipher(keys) },
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
  constructor(janitor: Janitor, halfWays: HalfWaySignIns, challenges: Challenges, totp: TotpRepository) {
    janitor.add(totp);
    janitor.add(halfWays);
    janitor.add(challenges);
  }
}

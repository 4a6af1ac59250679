import { Module } from '@nestjs/common';

import { Janitor } from '../common/janitor.js';
import { ClientAssertions } from './client-assertions.js';
import { ClientAuthenticator } from './client-authenticator.js';
import { ClientsRepository } from './clients.repository.js';
import { SpentAssertions } from './spent-assertions.repository.js';

@Module({
  providers: [ClientsRepository, SpentAssertions, ClientAssertions, ClientAuthenticator],
  exports: [ClientsRepository, ClientAuthenticator],
})
export class ClientsModule {
  constructor(janitor: Janitor, spent: SpentAssertions) {
    janitor.add(spent);
  }
}

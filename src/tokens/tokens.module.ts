import { Module } from '@nestjs/common';

import { Janitor } from '../common/janitor.js';
import { CONFIG, type Config } from '../config/config.js';
import { RESTRICTED_AUDIENCES } from './access-token.js';
import { AccessTokenIssuer } from './access-token-issuer.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import { ClientTokenIssuer } from './client-token-issuer.js';
import { ConfiguredKeys } from './configured-keys.js';
import { IssuedTokens } from './issued-tokens.js';
import { JwksController } from './jwks.controller.js';
import { JwsSigner } from './jws-signer.js';
import { KeyRing } from './key-ring.js';
import { KeyRingKeeper } from './key-ring-keeper.js';
import { KeyVault } from './key-vault.js';
import { SigningKeysRepository } from './signing-keys.repository.js';

@Module({
  controllers: [JwksController],
  providers: [
    AccessTokenIssuer,
    ClientTokenIssuer,
    IssuedTokens,
    JwsSigner,
    KeyRing,
    KeyRingKeeper,
    KeyVault,
    SigningKeysRepository,
    { provide: ConfiguredKeys, inject: [CONFIG], useFactory: ({ tokens }: Config) => ConfiguredKeys.load(tokens) },
    {
      provide: AccessTokenVerifier,
      inject: [KeyRing, KeyRingKeeper, CONFIG],
      useFactory: (ring: KeyRing, keeper: KeyRingKeeper, { tokens }: Config) =>
        new AccessTokenVerifier(
          ring,
          {
            issuer: tokens.issuer,
            audiences: [tokens.audience, ...RESTRICTED_AUDIENCES],
            maxAgeSeconds: tokens.accessTokenSeconds,
          },
          () => keeper.learn(),
        ),
    },
  ],
  exports: [
    AccessTokenIssuer,
    AccessTokenVerifier,
    ClientTokenIssuer,
    ConfiguredKeys,
    IssuedTokens,
    JwsSigner,
    KeyRing,
    KeyRingKeeper,
    KeyVault,
    SigningKeysRepository,
  ],
})
export class TokensModule {
  constructor(janitor: Janitor, keeper: KeyRingKeeper) {
    janitor.add(keeper);
  }
}

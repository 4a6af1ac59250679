import { Module } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { RESTRICTED_AUDIENCES } from './access-token.js';
import { AccessTokenIssuer } from './access-token-issuer.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import { JwksController } from './jwks.controller.js';
import { JwsSigner } from './jws-signer.js';
import { KeyRing, loadKeyRing } from './key-ring.js';

@Module({
  controllers: [JwksController],
  providers: [
    AccessTokenIssuer,
    JwsSigner,
    { provide: KeyRing, inject: [CONFIG], useFactory: (config: Config) => loadKeyRing(config.tokens) },
    {
      provide: AccessTokenVerifier,
      inject: [KeyRing, CONFIG],
      useFactory: (ring: KeyRing, { tokens }: Config) =>
        new AccessTokenVerifier(ring, {
          issuer: tokens.issuer,
          audiences: [tokens.audience, ...RESTRICTED_AUDIENCES],
          maxAgeSeconds: tokens.accessTokenSeconds,
        }),
    },
  ],
  exports: [AccessTokenIssuer, AccessTokenVerifier, JwsSigner],
})
export class TokensModule {}

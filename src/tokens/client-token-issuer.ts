import { randomUUID } from 'node:crypto';

import { ACCESS_TOKEN_TYPE, type ServiceClaims } from '#verifier';
import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { JwsSigner } from './jws-signer.js';

/** What a service's own token says. */
export interface ClientTokenSubject {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly audience: string;
  /** Epoch seconds: the client's cut-off, where that is still ahead, else when the client was read. */
  readonly issuedAt: number;
}

/** Signs access tokens that services get for themselves (RFC 9068, section 2.2): no session and no user is in them. */
@Injectable()
export class ClientTokenIssuer {
  readonly lifetimeSeconds: number;

  constructor(
    private readonly signer: JwsSigner,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.lifetimeSeconds = config.tokens.accessTokenSeconds;
  }

  issue({ clientId, scopes, audience, issuedAt }: ClientTokenSubject): { token: string; jti: string } {
    const jti = randomUUID();
    const claims: ServiceClaims = {
      iss: this.config.tokens.issuer,
      aud: audience,
      sub: clientId,
      client_id: clientId,
      iat: issuedAt,
      exp: issuedAt + this.lifetimeSeconds,
      jti,
      scope: scopes.join(' '),
    };
    return { token: this.signer.sign(ACCESS_TOKEN_TYPE, claims), jti };
  }
}

import { randomUUID } from 'node:crypto';

import { ACCESS_TOKEN_TYPE, type UserClaims } from '#verifier';

import { Inject, Injectable } from '@nestjs/common';

import { SecondFactorPolicy } from '../common/second-factors.js';
import { CONFIG, type Config } from '../config/config.js';
import { PASSWORD_CHANGE_AUDIENCE, SECOND_FACTOR_AUDIENCE } from './access-token.js';
import { JwsSigner } from './jws-signer.js';

/** Whom a token is for: a session with its user. */
export interface TokenSubject {
  id: string;
  user_id: string;
  username: string;
  roles: string[];
  permissions: string[];
  amr: string[];
  auth_time: number;
  /** Epoch seconds: the user's cut-off, where that is still ahead, else now. */
  issued_at: number;
  device_id: string | null;
  must_change_password: boolean;
}

/** Signs access tokens, at once and with a key that was prepared at start. */
@Injectable()
export class AccessTokenIssuer {
  readonly lifetimeSeconds: number;
  constructor(
    private readonly signer: JwsSigner,
    private readonly policy: SecondFactorPolicy,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.lifetimeSeconds = config.tokens.accessTokenSeconds;
  }

  issue(session: TokenSubject): string {
    return this.signer.sign(ACCESS_TOKEN_TYPE, this.claims(session));
  }

  private audience({ must_change_password, roles, amr }: TokenSubject): string {
    if (must_change_password) return PASSWORD_CHANGE_AUDIENCE;
    return this.policy.isMet(roles, amr) ? this.config.tokens.audience : SECOND_FACTOR_AUDIENCE;
  }

  private claims(session: TokenSubject): UserClaims {
    const iat = session.issued_at;
    return {
      iss: this.config.tokens.issuer,
      aud: this.audience(session),
      sub: session.user_id,
      iat,
      exp: iat + this.lifetimeSeconds,
      jti: randomUUID(),
      sid: session.id,
      username: session.username,
      roles: session.roles,
      permissions: session.permissions,
      scope: session.permissions.join(' '),
      amr: session.amr,
      auth_time: session.auth_time,
      ...(session.device_id !== null && { device_id: session.device_id }),
    };
  }
}

import { randomUUID } from 'node:crypto';

import { Inject, Injectable } from '@nestjs/common';

import { Clock } from '../common/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { ACCESS_TOKEN_TYPE, type AccessTokenClaims, PASSWORD_CHANGE_AUDIENCE } from './access-token.js';
import { signInput } from './jws.js';
import { KeyRing } from './key-ring.js';

/** Whom a token is for: a session with its user. */
export interface TokenSubject {
  id: string;
  user_id: string;
  username: string;
  roles: string[];
  permissions: string[];
  amr: string[];
  auth_time: number;
  device_id: string | null;
  must_change_password: boolean;
}

/** Signs access tokens, at once and with a key that was prepared at start. */
@Injectable()
export class AccessTokenIssuer {
  readonly lifetimeSeconds: number;
  private readonly encodedHeader: string;

  constructor(
    private readonly ring: KeyRing,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.lifetimeSeconds = config.tokens.accessTokenSeconds;
    this.encodedHeader = encode({ typ: ACCESS_TOKEN_TYPE, alg: ring.signing.algorithm, kid: ring.signing.kid });
  }

  issue(session: TokenSubject): string {
    const { algorithm, signKey } = this.ring.signing;
    const input = `${this.encodedHeader}.${encode(this.claims(session))}`;
    return `${input}.${signInput(algorithm, signKey, input).toString('base64url')}`;
  }

  private claims(session: TokenSubject): AccessTokenClaims {
    const iat = Math.floor(this.clock.now().getTime() / 1000);
    return {
      iss: this.config.tokens.issuer,
      aud: session.must_change_password ? PASSWORD_CHANGE_AUDIENCE : this.config.tokens.audience,
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

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

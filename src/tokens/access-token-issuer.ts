import { randomUUID } from 'node:crypto';

import { ACCESS_TOKEN_TYPE, type UserClaims } from '#verifier';

import { Inject, Injectable } from '@nestjs/common';

import { Logger } from '../common/logging.js';
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
  /** What administrators say of the user. */
  attributes: Readonly<Record<string, unknown>>;
}

/** Browsers keep cookies of 4,096 bytes, and many servers take 8 KiB of headers: half of that is the token's. */
const TOKEN_BUDGET_BYTES = 3584;
const WARN_EVERY_MS = 60_000;

/** Signs access tokens, at once and with a key that was prepared at start. */
@Injectable()
export class AccessTokenIssuer {
  readonly lifetimeSeconds: number;
  private readonly attributeClaims: readonly string[];
  private warnedAt = -Infinity;

  constructor(
    private readonly signer: JwsSigner,
    private readonly policy: SecondFactorPolicy,
    private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.attributeClaims = ['org_id', ...config.tokens.attributeClaims];
    this.lifetimeSeconds = config.tokens.accessTokenSeconds;
  }

  issue(session: TokenSubject): string {
    const token = this.signer.sign(ACCESS_TOKEN_TYPE, this.claims(session));
    if (token.length > TOKEN_BUDGET_BYTES) this.warn(token.length, session.user_id);
    return token;
  }

  /** Those that the settings make claims, and `org_id`. */
  private ofAttributes(attributes: TokenSubject['attributes']): Record<string, unknown> {
    const claims: Record<string, unknown> = {};
    for (const name of this.attributeClaims) if (attributes[name] !== undefined) claims[name] = attributes[name];
    return claims;
  }

  /** Once a minute: a token that is too large for its carriers is refused far from here, and nobody knows why. */
  private warn(bytes: number, userId: string): void {
    const now = performance.now();
    if (now - this.warnedAt < WARN_EVERY_MS) return;
    this.warnedAt = now;
    this.logger.warn(
      { bytes, budget: TOKEN_BUDGET_BYTES, user_id: userId },
      'an access token is larger than cookies and headers may carry: give its user fewer roles, permissions or claims',
    );
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
      ...this.ofAttributes(session.attributes),
    };
  }
}

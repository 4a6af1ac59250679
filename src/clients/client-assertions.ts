import { Inject, Injectable } from '@nestjs/common';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { validate as isUuid } from 'uuid';

import { Clock } from '../common/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { ASSERTION_ALGORITHMS } from './client-jwks.js';
import { type ClientGrants, ClientsRepository } from './clients.repository.js';
import { SpentAssertions } from './spent-assertions.repository.js';

const MAX_AGE_SECONDS = 300;
const CLOCK_TOLERANCE_SECONDS = 5;

/** Authenticates clients by assertions that they sign: `private_key_jwt` (RFC 7523, section 3). */
@Injectable()
export class ClientAssertions {
  private readonly audiences: readonly string[];

  constructor(
    private readonly clients: ClientsRepository,
    private readonly spent: SpentAssertions,
    private readonly clock: Clock,
    @Inject(CONFIG) { tokens, http }: Config,
  ) {
    this.audiences = [tokens.issuer, `${http.publicUrl}/oauth/token`];
  }

  /**
   * The client that signed `assertion`, or null. It is good once, for five minutes at most, and for this service alone: an
   * assertion with a second audience could be carried here by that one.
   */
  async authenticate(clientId: string, assertion: string): Promise<ClientGrants | null> {
    if (!isUuid(clientId)) return null;
    const client = await this.clients.findWithKeys(clientId);
    if (!client) return null;
    const claims = await this.verify(assertion, clientId, client.jwks);
    if (!claims || !this.isGood(claims)) return null;
    // Times are compared in whole seconds, and a NumericDate may have a fraction (RFC 7519, section 2).
    const overAt = Math.ceil(claims.exp!) + CLOCK_TOLERANCE_SECONDS + 1;
    const isFirst = await this.spent.spend(clientId, claims.jti!, overAt);
    return isFirst ? client : null;
  }

  private async verify(assertion: string, clientId: string, jwks: JSONWebKeySet): Promise<JWTPayload | null> {
    try {
      const { payload } = await jwtVerify(assertion, createLocalJWKSet(jwks), {
        algorithms: [...ASSERTION_ALGORITHMS],
        issuer: clientId,
        subject: clientId,
        audience: [...this.audiences],
        currentDate: this.clock.now(),
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'jti'],
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  private isGood({ aud, exp, iat, jti }: JWTPayload): boolean {
    const latest = this.clock.now().getTime() / 1000 + CLOCK_TOLERANCE_SECONDS;
    if (typeof jti !== 'string' || jti === '') return false;
    if ([aud].flat().length !== 1) return false;
    return exp! <= latest + MAX_AGE_SECONDS && (iat === undefined || iat <= latest);
  }
}

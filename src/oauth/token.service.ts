import { Injectable } from '@nestjs/common';

import { AuditLog } from '../audit/audit-log.js';
import { SCOPE_TOKEN } from '../clients/clients.schemas.js';
import type { ClientPrincipal } from '../common/principal.js';
import {
  INVALID_SCOPE,
  INVALID_TARGET,
  UNAUTHORIZED_CLIENT,
  UNSUPPORTED_GRANT_TYPE,
} from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import { ClientTokenIssuer } from '../tokens/client-token-issuer.js';
import type { TokenRequest, TokenResponse } from './oauth.schemas.js';

/** Gives services tokens of their own (RFC 6749, section 4.4). */
@Injectable()
export class TokenService {
  constructor(
    private readonly issuer: ClientTokenIssuer,
    private readonly audit: AuditLog,
  ) {}

  /** @throws Problem `unsupported_grant_type`, `unauthorized_client`, `invalid_target`, `invalid_scope` */
  async grant(client: ClientPrincipal, request: TokenRequest, source: RequestSource): Promise<TokenResponse> {
    const { scopes, audience } = await this.judge(client, request, source);
    // Not the time now: what the client may was read before, and may have been taken away since.
    const issuedAt = Math.max(client.readAt, client.tokensValidFrom);
    const { clientId, method } = client;
    const { token, jti } = this.issuer.issue({ clientId, scopes, audience, issuedAt });
    const details = { jti, scope: scopes.join(' '), audience, method };
    await this.audit.recordAlone({ type: 'client.token_issued', clientId, details }, source);
    return {
      access_token: token,
      token_type: 'Bearer',
      expires_in: this.issuer.lifetimeSeconds,
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    };
  }

  private async judge(client: ClientPrincipal, request: TokenRequest, source: RequestSource) {
    try {
      if (request.grant_type !== 'client_credentials') throw new Problem(UNSUPPORTED_GRANT_TYPE);
      return { audience: audienceOf(client, request), scopes: scopesOf(client, request) };
    } catch (error) {
      if (error instanceof Problem) {
        const details = { error: error.type.code };
        await this.audit.recordRefusal({ type: 'client.token_refused', clientId: client.clientId, details }, source);
      }
      throw error;
    }
  }
}

/** One for each token (RFC 8707, section 2), and never one that was not asked for. */
function audienceOf({ audiences }: ClientPrincipal, { audience, resource }: TokenRequest): string {
  if (audiences.length === 0) throw new Problem(UNAUTHORIZED_CLIENT);
  if (audience !== undefined && resource !== undefined && audience !== resource) throw new Problem(INVALID_TARGET);
  const wanted = audience ?? resource ?? audiences[0];
  if (!audiences.includes(wanted)) throw new Problem(INVALID_TARGET);
  return wanted;
}

/** Those that are asked for, in order and each once; all of the client's where none is. */
function scopesOf({ scopes }: ClientPrincipal, { scope }: TokenRequest): readonly string[] {
  if (scope === undefined) return scopes;
  const wanted = scope.split(' ');
  if (!wanted.every((one) => SCOPE_TOKEN.test(one) && scopes.includes(one))) throw new Problem(INVALID_SCOPE);
  return [...new Set(wanted)].toSorted();
}

import { Inject, Injectable } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { JwsSigner } from '../tokens/jws-signer.js';
import type { RevocationEntry } from './revocation.js';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
const TYPE = 'secevent+jwt';

/** An entry as the feed shows it: with its Security Event Token, where the service is set to. */
export interface AccompaniedEntry extends RevocationEntry {
  readonly set?: string;
}

/**
 * Security Event Tokens (RFC 8417) with the events of CAEP 1.0, for receivers that take those: an
 * entry whose user only got other roles is a `token-claims-change`, any other a `session-revoked`.
 * Their `typ` keeps them from passing for an access token.
 */
@Injectable()
export class SecurityEventTokens {
  constructor(
    private readonly signer: JwsSigner,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  accompany(entry: RevocationEntry): AccompaniedEntry {
    return this.config.tokens.revocationEventTokens ? { ...entry, set: this.sign(entry) } : entry;
  }

  private sign(entry: RevocationEntry): string {
    const { issuer, audience } = this.config.tokens;
    const revokedAt = Math.floor(Date.parse(entry.revoked_at) / 1000);
    const isClaimsChange = entry.reason === 'roles_changed';
    const event = {
      event_timestamp: revokedAt,
      reason_admin: { en: entry.reason },
      ...(isClaimsChange ? { claims: {} } : { initiating_entity: initiatorOf(entry) }),
    };
    return this.signer.sign(TYPE, {
      iss: issuer,
      aud: audience,
      iat: revokedAt,
      jti: entry.id,
      sub_id: subjectOf(entry, issuer),
      events: { [`${CAEP}/${isClaimsChange ? 'token-claims-change' : 'session-revoked'}`]: event },
    });
  }
}

/** RFC 9493, section 3.2; what has no format there is opaque. */
const subjectOf = ({ kind, subject }: RevocationEntry, issuer: string) =>
  kind === 'user' ? { format: 'iss_sub', iss: issuer, sub: subject } : { format: 'opaque', id: `${kind}:${subject}` };

/** CAEP 1.0, section 2: who began it. */
function initiatorOf({ reason }: RevocationEntry): 'user' | 'admin' | 'policy' {
  switch (reason) {
    case 'logout':
    case 'logout_all':
    case 'ended_by_user':
    case 'password_changed':
    case 'token_revoked':
      return 'user';
    case 'ended_by_administrator':
    case 'account_disabled':
    case 'account_deleted':
    case 'roles_changed':
    case 'factors_reset':
    case 'client_disabled':
    case 'client_changed':
    case 'key_compromised':
      return 'admin';
    case 'replaced':
    case 'refresh_token_reused':
    case 'session_limit':
      return 'policy';
  }
}

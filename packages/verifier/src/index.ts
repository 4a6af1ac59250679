export type { AccessTokenClaims, Instant, ServiceClaims, UserClaims } from './claims.js';
export {
  TokenError,
  type TokenErrorCode,
  TokenExpired,
  TokenInvalid,
  TokenRevoked,
  VerifierConfigError,
  VerifierStale,
} from './errors.js';
export type { FeedSettings } from './feed/revocation-feed.js';
export { importJwk, type Jwk, type KeyFinder, KeySet, sharedKey, type SharedSecret, type VerifyKey } from './keys.js';
export { type RevocationEntry, type RevocationKind, RevocationSet } from './revocation-set.js';
export type { RevocationSink, RevocationSource, SourceStats } from './revocation-source.js';
export type { Algorithm } from './signature.js';
export { ACCESS_TOKEN_TYPE, type CheckedToken, type CheckOptions, TokenChecker } from './token-checker.js';
export { createVerifier, type OnStale, type Verifier, type VerifierOptions, type VerifierStats } from './verifier.js';

import type { SecondFactorMethod } from '../common/second-factors.js';
import type { HalfWayPurpose, HalfWayToken } from '../mfa/half-way-sign-ins.repository.js';
import type { RequestSource } from '../common/request-source.js';
import type { DeviceAtSignIn, DeviceEvidence } from '../sessions/device.js';
import type { GrantedSession } from '../sessions/sessions.service.js';
import type { Account } from '../users/users.repository.js';

/** What a sign-in comes with, besides the name and the password. */
export interface SignInOrigin {
  readonly device: DeviceAtSignIn;
  /** What tells the browser apart, for a second step. */
  readonly browser: string;
  /** The refresh token that this browser held before: its session ends (ASVS 7.2.4). */
  readonly replaced: string | null;
  readonly source: RequestSource;
}

/** What a sign-in or a registration came to. */
export interface SignedIn extends GrantedSession {
  readonly account: Account;
  /** As the session knows it, under the name that the browser is to keep. */
  readonly device: DeviceEvidence;
}

/** What one came to whose second step is to come: no session, no cookie. */
export interface SignedInHalfWay {
  readonly halfWay: HalfWayToken;
  readonly purpose: HalfWayPurpose;
  /** By what the step may be taken. */
  readonly methods: SecondFactorMethod[];
}

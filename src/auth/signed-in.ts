import type { SecondFactorMethod } from '../common/second-factors.js';
import type { HalfWayPurpose, HalfWayToken } from '../mfa/half-way-sign-ins.js';
import type { DeviceEvidence } from '../sessions/device.js';
import type { GrantedSession } from '../sessions/sessions.service.js';
import type { Account } from '../users/users.repository.js';

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

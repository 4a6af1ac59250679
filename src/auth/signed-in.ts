import type { DeviceEvidence } from '../sessions/device.js';
import type { GrantedSession } from '../sessions/sessions.service.js';
import type { Account } from '../users/users.repository.js';

/** What a sign-in or a registration came to. */
export interface SignedIn extends GrantedSession {
  readonly account: Account;
  /** As the session knows it, under the name that the browser is to keep. */
  readonly device: DeviceEvidence;
}

import { randomUUID } from 'node:crypto';

import Bowser from 'bowser';
import { parse as parseUuid, stringify as formatUuid } from 'uuid';

import type { DerivedKeys } from '../common/crypto/derived-keys.js';
import { SignedValue } from '../common/crypto/signed-value.js';

const UUID_BYTES = 16;

/** The signed name of a browser, kept in the `device` cookie: 400 days, the most that browsers keep. */
export const DEVICE_COOKIE_SECONDS = 400 * 86_400;

/** Makes and opens `device` cookies (OWASP: device cookies). Who signed in there, the sessions know. */
export class DeviceKeys {
  private readonly signed: SignedValue;

  constructor(keys: DerivedKeys) {
    this.signed = new SignedValue(keys.allOf('device-cookie'), UUID_BYTES);
  }

  mint(): string {
    return randomUUID();
  }

  seal(deviceKey: string): string {
    return this.signed.sign(Buffer.from(parseUuid(deviceKey)));
  }

  /** The browser's name, or null where the cookie is not ours. */
  open(cookie: string | null): string | null {
    const payload = this.signed.open(cookie);
    return payload && formatUuid(payload);
  }
}

/** What a request shows of the device that it comes from. */
export interface DeviceEvidence {
  /** From the `device` cookie. */
  readonly deviceKey: string | null;
  /** As the client names itself. */
  readonly deviceId: string | null;
  readonly userAgent: string | null;
}

/** What a sign-in shows of its device. */
export interface DeviceAtSignIn extends DeviceEvidence {
  /** A name for a browser that the account does not know by the one it shows; null for clients without cookies. */
  readonly newKey: string | null;
}

/**
 * The device of a session that begins. A cookie that names the browser for somebody else is replaced
 * and never adopted: whoever planted it there would come to be known as this account's browser. So
 * of two people who share a browser, it is known as that of whoever signed in last; the other one is
 * counted by network at their next sign-in there, and gets a new name in turn.
 */
export const deviceOfSession = (device: DeviceAtSignIn, isKnown: boolean): DeviceEvidence => ({
  deviceKey: isKnown ? device.deviceKey : device.newKey,
  deviceId: device.deviceId,
  userAgent: device.userAgent,
});

/** Whether two requests come from one device: its cookie, or its own name and the same kind of agent. */
export function isSameDevice(known: DeviceEvidence, shown: DeviceEvidence): boolean {
  if (known.deviceKey !== null && known.deviceKey === shown.deviceKey) return true;
  return (
    known.deviceId !== null &&
    known.deviceId === shown.deviceId &&
    agentFamily(known.userAgent) === agentFamily(shown.userAgent)
  );
}

/** The kind of an agent without its version, such as `Chrome on macOS` or `okhttp`: an update keeps it. */
export function agentFamily(userAgent: string | null): string {
  if (!userAgent) return '';
  const { browser, os } = Bowser.parse(userAgent);
  if (os.name) return `${browser.name ?? ''} on ${os.name}`;
  return /^[^/\s]+/.exec(userAgent)?.[0] ?? '';
}

import { Injectable } from '@nestjs/common';
import type { Request } from 'express';

import { Cookies } from '../common/cookies.js';
import { transportOf } from '../common/transport.js';
import { DeviceKeys } from './device.js';
import { DevicesRepository } from './devices.repository.js';

/** Whether a request comes from a browser that a user is known by (OWASP: device cookies). */
@Injectable()
export class KnownBrowser {
  constructor(
    private readonly cookies: Cookies,
    private readonly deviceKeys: DeviceKeys,
    private readonly devices: DevicesRepository,
  ) {}

  /** The name that the request's `device` cookie gives its browser, known or not; null for clients without cookies. */
  shown(request: Request): string | null {
    return transportOf(request) === 'cookie' ? this.deviceKeys.open(this.cookies.read(request, 'device')) : null;
  }

  /** Its name, where this user signed in with it before; else null. */
  async of(request: Request, userId: string): Promise<string | null> {
    const deviceKey = this.shown(request);
    return deviceKey && (await this.devices.isKnown(userId, deviceKey)) ? deviceKey : null;
  }
}

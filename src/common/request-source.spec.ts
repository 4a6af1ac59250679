import type { Request } from 'express';

import { clientIp } from './request-source.js';

/** A request as Express shows it; `ip` is what the trusted proxies said. */
const request = (ip: string, remoteAddress: string | undefined): Request =>
  ({ ip, socket: { remoteAddress } }) as unknown as Request;

describe('clientIp', () => {
  it('is the address that Express found, in its one spelling', () => {
    expect(clientIp(request('::FFFF:203.0.113.7', '10.0.0.1'))).toBe('203.0.113.7');
    expect(clientIp(request('203.0.113.7:1234', '10.0.0.1'))).toBe('203.0.113.7');
  });

  it('is the address of the socket where a proxy forwards nonsense', () => {
    expect(clientIp(request('unknown', '::ffff:10.0.0.1'))).toBe('10.0.0.1');
  });

  it('is always an address, on a unix socket too', () => {
    expect(clientIp(request('unknown', undefined))).toBe('0.0.0.0');
  });

  it('is found once a request', () => {
    let looks = 0;
    const counting = {
      get ip() {
        looks++;
        return '203.0.113.7';
      },
    } as Request;
    expect([clientIp(counting), clientIp(counting)]).toEqual(['203.0.113.7', '203.0.113.7']);
    expect(looks).toBe(1);
  });
});

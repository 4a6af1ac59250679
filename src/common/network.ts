import { isIP, isIPv4, SocketAddress } from 'node:net';

import ipaddr from 'ipaddr.js';

/** As proxies write addresses at times: with a port, and IPv6 then in brackets. */
const WITH_PORT = /^(?:\[([^\]]*)\]|(\d+(?:\.\d+){3}))(?::\d{1,5})?$/;

/**
 * The one spelling of an address (RFC 5952), so that a client has one counter and one row whatever
 * wrote it down. An IPv4-mapped IPv6 address is the IPv4 one; a port or zone is left out. Null for
 * what is no address.
 */
export function canonicalAddress(text: string): string | null {
  if (isIPv4(text)) return text;
  const [, bracketed, dotted] = WITH_PORT.exec(text) ?? [];
  const bare = (bracketed ?? dotted ?? text).replace(/%.*$/, '');
  if (!isIP(bare)) return null;
  const address = ipaddr.process(bare);
  return address instanceof ipaddr.IPv6
    ? new SocketAddress({ family: 'ipv6', address: bare }).address
    : address.toString();
}

/** The address itself, or the first 64 bits of an IPv6 one: one customer has all of a /64 (RFC 6177). */
export function networkOf(ip: string): string {
  if (isIPv4(ip)) return ip;
  const address = ipaddr.process(ip);
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  const prefix = address.parts.slice(0, 4).map((part) => part.toString(16));
  return `${prefix.join(':')}::/64`;
}

/**
 * The one spelling of an address or, as `address/bits`, of a network (RFC 4632, RFC 4291); what a network's address says beyond
 * its bits does not matter. An IPv4-mapped IPv6 one is the IPv4 one. Null for what is neither.
 */
export function canonicalNetwork(text: string): string | null {
  const [address, prefix, ...rest] = text.split('/');
  const canonical = isIP(address) && !address.includes('%') ? canonicalAddress(address) : null;
  if (canonical === null || rest.length > 0) return null;
  if (prefix === undefined) return canonical;
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) - (isIPv4(canonical) && !isIPv4(address) ? 96 : 0) : -1;
  return bits >= 0 && bits <= (isIPv4(canonical) ? 32 : 128) ? `${canonical}/${bits}` : null;
}

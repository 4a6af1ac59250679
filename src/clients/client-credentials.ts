import type { ClientCredentials } from './clients.service.js';

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
const MAX_LENGTH = 1024;

/** `client_secret_basic` (RFC 6749, section 2.3.1): both halves are form-encoded, then as in RFC 7617. Null where it is none. */
export function readBasicCredentials(authorization: string | undefined): ClientCredentials | null {
  if (authorization === undefined || authorization.length > MAX_LENGTH) return null;
  const encoded = BASIC.exec(authorization)?.[1];
  if (!encoded) return null;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 0) return null;
  try {
    return { clientId: decode(text.slice(0, colon)), clientSecret: decode(text.slice(colon + 1)) };
  } catch {
    return null; // a stray percent sign
  }
}

const decode = (part: string): string => decodeURIComponent(part.replace(/\+/g, ' '));

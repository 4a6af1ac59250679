import type { Request } from 'express';

/**
 * How a client carries its tokens. `cookie`: browsers. `body`: whoever sends `X-Auth-Transport:
 * body`, and OAuth2 password forms, which know no cookies: then none is read or set.
 */
export type Transport = 'cookie' | 'body';

export function transportOf(request: Request): Transport {
  return hasBodyHeader(request) || isPasswordForm(request) ? 'body' : 'cookie';
}

/** Whether only the form's own content, which any page can send, makes it the body transport. */
export const isFormTransport = (request: Request): boolean => isPasswordForm(request) && !hasBodyHeader(request);

const hasBodyHeader = (request: Request): boolean =>
  request.headers['x-auth-transport']?.toString().toLowerCase() === 'body';

const isPasswordForm = (request: Request): boolean =>
  (request.body as { grant_type?: unknown } | undefined)?.grant_type === 'password';

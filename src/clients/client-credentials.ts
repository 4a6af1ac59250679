import type { Request } from 'express';
import { decodeJwt } from 'jose';

import { isForm } from '../common/http/body.js';
import type { ClientAuthMethod } from '../common/principal.js';
import { MALFORMED_REQUEST } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';

/** What a request shows of who calls: nothing of it is checked yet. */
export type PresentedClient = { readonly clientId: string } & (
  | { readonly method: Exclude<ClientAuthMethod, 'private_key_jwt'>; readonly clientSecret: string }
  | { readonly method: 'private_key_jwt'; readonly assertion: string }
);

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
const MAX_BASIC_LENGTH = 1024;
const MAX_ASSERTION_LENGTH = 8192;

/**
 * How a request authenticates its client (RFC 6749, section 2.3; RFC 7523, section 2.2); null where it does not, or by
 * what is no way to. The body counts only where it is a form.
 *
 * @throws Problem `malformed_request` where it does in two ways at once, or repeats a parameter
 */
export function readClientCredentials(request: Pick<Request, 'headers' | 'body'>): PresentedClient | null {
  const form = isForm(request) ? ((request.body ?? {}) as Record<string, unknown>) : {};
  const id = single(form, 'client_id');
  const secret = single(form, 'client_secret');
  const assertion = single(form, 'client_assertion');
  const { authorization } = request.headers;
  if ([authorization, secret, assertion].filter((way) => way !== undefined).length > 1)
    throw malformed('Authenticate the client in one way alone.');
  if (authorization !== undefined) {
    const basic = readBasic(authorization);
    return basic && { method: 'client_secret_basic', ...named(basic, id) };
  }
  if (assertion !== undefined) {
    if (single(form, 'client_assertion_type') !== JWT_BEARER)
      throw malformed(`client_assertion_type must be ${JWT_BEARER}.`);
    const clientId = subjectOf(assertion);
    return clientId === null ? null : { method: 'private_key_jwt', ...named({ clientId, assertion }, id) };
  }
  if (id === undefined || secret === undefined) return null;
  return { method: 'client_secret_post', clientId: id, clientSecret: secret };
}

/** A parameter without a value is one that was left out (RFC 6749, section 3.2). */
function single(form: Record<string, unknown>, name: string): string | undefined {
  const value = form[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw malformed(`${name} must be sent once.`);
  return value;
}

/** RFC 7521, section 4.2: a `client_id` beside it names the same client. */
function named<T extends { clientId: string }>(presented: T, id: string | undefined): T {
  if (id !== undefined && id !== presented.clientId) throw malformed('client_id names another client.');
  return presented;
}

/** `client_secret_basic` (RFC 6749, section 2.3.1): both halves are form-encoded, then as in RFC 7617. */
function readBasic(authorization: string): { clientId: string; clientSecret: string } | null {
  if (authorization.length > MAX_BASIC_LENGTH) return null;
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

function subjectOf(assertion: string): string | null {
  if (assertion.length > MAX_ASSERTION_LENGTH) return null;
  try {
    const { sub } = decodeJwt(assertion);
    return typeof sub === 'string' ? sub : null;
  } catch {
    return null;
  }
}

const decode = (part: string): string => (/[%+]/.test(part) ? decodeURIComponent(part.replaceAll('+', ' ')) : part);
const malformed = (detail: string): Problem => new Problem(MALFORMED_REQUEST, { detail });

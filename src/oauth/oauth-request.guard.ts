import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';

import { isForm } from '../common/http/body.js';
import { MALFORMED_REQUEST, UNSUPPORTED_MEDIA_TYPE } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { requestOf } from '../common/route-context.js';

/**
 * What OAuth says of all requests (RFC 6749, sections 2.3.1 and 3.2): a form, nothing in the URL, no parameter twice; one
 * without a value is taken out, as if it had not been sent, and one that nobody knows is ignored.
 */
@Injectable()
export class OAuthRequestGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = requestOf<Request<object, unknown, Record<string, unknown> | undefined>>(context);
    if (request.url.includes('?')) throw malformed('Send parameters in the body, not in the URL.');
    if (request.body === undefined) return true;
    if (!isForm(request))
      throw new Problem(UNSUPPORTED_MEDIA_TYPE, { detail: 'Send application/x-www-form-urlencoded.' });
    for (const name in request.body) {
      const value = request.body[name];
      if (Array.isArray(value)) throw malformed('Send each parameter once.');
      if (value === '') delete request.body[name];
    }
    return true;
  }
}

const malformed = (detail: string): Problem => new Problem(MALFORMED_REQUEST, { detail });

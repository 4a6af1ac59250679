import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AccessTokenClaims } from '../claims.js';
import type { Verifier } from '../verifier.js';
import { type GuardOptions, judge } from './guard.js';

export {
  type GuardOptions,
  permissionsOf,
  requireAnyPermission,
  type Requirement,
  requirePermissions,
  requireRole,
  requireScope,
} from './guard.js';

/** A request that has passed. */
export type WithAuth<Request = IncomingMessage> = Request & { auth: AccessTokenClaims };

/**
 * Middleware for Express, Connect and whatever takes `(request, response, next)`: puts the claims at
 * `request.auth`, or answers 401, 403 or 503.
 */
export const expressGuard =
  (verifier: Verifier, options: GuardOptions = {}) =>
  (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    judge(verifier, request, options).then((outcome) => {
      if ('claims' in outcome) {
        (request as WithAuth).auth = outcome.claims;
        next();
        return;
      }
      const { status, headers, body } = outcome.refusal;
      response.writeHead(status, headers).end(JSON.stringify(body));
    }, next);
  };

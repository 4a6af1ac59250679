import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AccessTokenClaims } from '../claims.js';
import type { Verifier } from '../verifier.js';
import { type GuardOptions, judge } from './guard.js';

export { type GuardOptions, type Requirement, requirePermission, requireRole, requireScope } from './guard.js';

/** What is needed of Nest's `ExecutionContext`. */
interface HttpContext {
  switchToHttp(): { getRequest<T>(): T; getResponse<T>(): T };
}

type PlatformRequest = { raw?: IncomingMessage; auth?: AccessTokenClaims } & IncomingMessage;
type PlatformResponse = ServerResponse & { header(name: string, value: string): unknown };

/**
 * A guard for Nest, on Express or Fastify: `@UseGuards(nestGuard(verifier, { require: requireRole('admin') }))`.
 * Puts the claims at `request.auth`. Otherwise it sets the headers of the refusal and throws Nest's own
 * `HttpException`, so that filters and interceptors see what they know. Nest is the application's: it is
 * looked up at the first refusal, and no dependency of this package.
 */
export function nestGuard(verifier: Verifier, options: GuardOptions = {}) {
  return class LatchkeyGuard {
    async canActivate(context: HttpContext): Promise<boolean> {
      const http = context.switchToHttp();
      const request = http.getRequest<PlatformRequest>();
      const outcome = await judge(verifier, request.raw ?? request, options);
      if ('claims' in outcome) {
        request.auth = outcome.claims;
        return true;
      }
      const { status, headers, body } = outcome.refusal;
      const response = http.getResponse<PlatformResponse>();
      for (const [name, value] of Object.entries(headers)) response.header(name, value);
      const { HttpException } = await import('@nestjs/common');
      throw new HttpException(body, status);
    }
  };
}

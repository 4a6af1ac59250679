import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AccessTokenClaims } from '../claims.js';
import type { Verifier } from '../verifier.js';
import { type GuardOptions, judge, type Refusal } from './guard.js';

export { type GuardOptions, type Requirement, requirePermission, requireRole, requireScope } from './guard.js';

/** What is needed of Nest's `ExecutionContext`. */
interface HttpContext {
  switchToHttp(): { getRequest<T>(): T; getResponse<T>(): T };
}

type PlatformRequest = { raw?: IncomingMessage; auth?: AccessTokenClaims } & IncomingMessage;
type PlatformResponse = ServerResponse & { header(name: string, value: string): unknown };

/** Nest's default filter answers an error that has a `statusCode` by it. One's own finds all there is to say in `problem`. */
export class RefusalError extends Error {
  constructor(
    readonly statusCode: Refusal['status'],
    readonly problem: Refusal['body'],
  ) {
    super(problem.title);
  }
}

/**
 * A guard for Nest, on Express or Fastify: `@UseGuards(nestGuard(verifier, { require: requireRole('admin') }))`.
 * Puts the claims at `request.auth`. Otherwise it sets the headers of the refusal and throws a
 * {@link RefusalError}, whose body is the affair of the application's filters.
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
      const { 'Content-Type': _, ...others } = headers;
      for (const [name, value] of Object.entries(others)) response.header(name, value);
      throw new RefusalError(status, body);
    }
  };
}

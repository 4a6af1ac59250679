import type { IncomingMessage } from 'node:http';

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

/** What is needed of Fastify's request and reply. */
interface FastifyRequest {
  readonly raw: IncomingMessage;
  auth?: AccessTokenClaims;
}
interface FastifyReply {
  code(status: number): FastifyReply;
  headers(values: Record<string, string>): FastifyReply;
  send(body: string): FastifyReply;
}

/** A `preHandler` or `onRequest` hook for Fastify: puts the claims at `request.auth`, or answers 401, 403 or 503. */
export const fastifyGuard =
  (verifier: Verifier, options: GuardOptions = {}) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const outcome = await judge(verifier, request.raw, options);
    if ('claims' in outcome) {
      request.auth = outcome.claims;
      return undefined;
    }
    const { status, headers, body } = outcome.refusal;
    return reply
      .code(status)
      .headers({ ...headers })
      .send(JSON.stringify(body));
  };

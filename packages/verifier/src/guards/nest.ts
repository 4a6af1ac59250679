import type { IncomingMessage, ServerResponse } from 'node:http';

import type { AccessTokenClaims } from '../claims.js';
import type { Verifier } from '../verifier.js';
import { type GuardOptions, judge, type Requirement, requirePermissions, requireRole, requireScope } from './guard.js';

export {
  type GuardOptions,
  permissionsOf,
  requireAnyPermission,
  type Requirement,
  requirePermissions,
  requireRole,
  requireScope,
} from './guard.js';

/** What is needed of Nest's `ExecutionContext`. */
interface HttpContext {
  switchToHttp(): { getRequest<T>(): T; getResponse<T>(): T };
  getHandler(): object;
  getClass(): object;
}

type PlatformRequest = { raw?: IncomingMessage; auth?: AccessTokenClaims } & IncomingMessage;
type PlatformResponse = ServerResponse & { header(name: string, value: string): unknown };

/** Nest's own reflection: `reflect-metadata`, which it loads. */
const metadata = Reflect as unknown as {
  defineMetadata(key: symbol, value: readonly Requirement[], target: object): void;
  getMetadata(key: symbol, target: object): readonly Requirement[] | undefined;
};
/** The same in every copy of this package, so that a guard never misses what another copy's decorator asks for. */
const REQUIRED = Symbol.for('@latchkey/verifier:required');

const requiredAt = (target: object): readonly Requirement[] => metadata.getMetadata(REQUIRED, target) ?? [];

/**
 * Asks for more at a controller or a method: all that is declared at either has to hold. It is the guard that asks, so put a
 * {@link nestGuard} before it, best for the whole application.
 */
export const Require =
  (...requirements: Requirement[]): ClassDecorator & MethodDecorator =>
  (target: object, _name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const at = descriptor ? (descriptor.value as object) : target;
    metadata.defineMetadata(REQUIRED, [...requiredAt(at), ...requirements], at);
  };

/** {@link Require} of {@link requirePermissions}: all of them, of a user or a service. */
export const RequirePermissions = (...permissions: string[]) => Require(requirePermissions(...permissions));

/** {@link Require} of {@link requireScope}: all of them. */
export const RequireScope = (...scopes: string[]) => Require(requireScope(...scopes));

/** {@link Require} of {@link requireRole}: any of them. */
export const RequireRole = (...roles: string[]) => Require(requireRole(...roles));

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
      const declared = [context.getClass(), context.getHandler()].flatMap(requiredAt);
      const require = [options.require ?? [], declared].flat();
      const outcome = await judge(verifier, request.raw ?? request, { ...options, require });
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

import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { Request } from 'express';

/** The request that a guard or a parameter's decorator looks at. `switchToHttp()` would make three functions for it. */
export const requestOf = <T = Request>(context: ExecutionContext): T => context.getArgByIndex<T>(0);

/** What a route's method declares under `key`, else what its controller does. */
export function declared<T>(reflector: Reflector, key: symbol, context: ExecutionContext): T | undefined {
  return (
    reflector.get<T | undefined>(key, context.getHandler()) ?? reflector.get<T | undefined>(key, context.getClass())
  );
}

import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

/** What a route's method declares under `key`, else what its controller does. */
export function declared<T>(reflector: Reflector, key: symbol, context: ExecutionContext): T | undefined {
  return (
    reflector.get<T | undefined>(key, context.getHandler()) ?? reflector.get<T | undefined>(key, context.getClass())
  );
}

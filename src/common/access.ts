import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBasicAuth, ApiBearerAuth, ApiCookieAuth, ApiExtension } from '@nestjs/swagger';
import type { Request } from 'express';

/** Who may call a route: anyone, whoever is signed in, whoever holds a permission, or a service as itself. */
export type AccessRule = 'public' | 'user' | 'client' | { permission: string };

export const ACCESS_RULE = Symbol('AccessRule');

/** Declares who may call a route. One that declares nothing is refused to all, and fails a test. */
export function Access(rule: AccessRule): MethodDecorator & ClassDecorator {
  const set = SetMetadata(ACCESS_RULE, rule);
  if (rule === 'public') return applyDecorators(set, ApiExtension('x-access', 'public'));
  if (rule === 'client') return applyDecorators(set, ApiBasicAuth('client'), ApiExtension('x-access', 'client'));
  return applyDecorators(
    set,
    ApiBearerAuth('bearer'),
    ApiCookieAuth('access_cookie'),
    ApiExtension('x-access', rule === 'user' ? 'user' : rule.permission),
  );
}

export const OPEN_BEFORE_PASSWORD_CHANGE = Symbol('OpenBeforePasswordChange');

/** For the few routes that stay open to whoever must change their password first. */
export const OpenBeforePasswordChange = () => SetMetadata(OPEN_BEFORE_PASSWORD_CHANGE, true);

export const OPEN_BEFORE_SECOND_FACTOR = Symbol('OpenBeforeSecondFactor');

/** For the few routes that stay open to whoever must prove, or set up, a second factor first. */
export const OpenBeforeSecondFactor = () =>
  applyDecorators(SetMetadata(OPEN_BEFORE_SECOND_FACTOR, true), ApiExtension('x-open-before-second-factor', true));

export const STEP_UP = Symbol('StepUp');

/** For routes that need a recent proof of identity: `STEP_UP_MINUTES`. */
export const StepUp = () => SetMetadata(STEP_UP, true);

/** What some requests to a route need beyond its `@Access()`: a permission more, and a recent proof of identity. */
export interface FurtherAccess {
  readonly permission: string;
  readonly when: (request: Request) => boolean;
}

export const FURTHER_ACCESS = Symbol('FurtherAccess');

/** For routes of which one form of the answer asks for more than the others. */
export const AccessFurther = (further: FurtherAccess) =>
  applyDecorators(SetMetadata(FURTHER_ACCESS, further), ApiExtension('x-access-further', further.permission));

export const ALWAYS_CSRF = Symbol('AlwaysCsrf');

/** For routes that set or read the refresh cookie: cookie clients need a CSRF token in any case. */
export const CsrfProtected = () => SetMetadata(ALWAYS_CSRF, true);

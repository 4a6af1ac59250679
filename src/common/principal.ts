import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

/** Whoever a verified access token speaks for. */
export interface Principal {
  readonly userId: string;
  readonly sessionId: string;
  readonly username: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  /** Epoch seconds of the token's making. */
  readonly issuedAt: number;
  /** Epoch seconds of the last proof of identity. */
  readonly authTime: number;
  readonly amr: readonly string[];
}

/** Injects the {@link Principal} that the access guard established. */
export const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<Request & { user: Principal }>().user,
);

/** A service that has authenticated as itself. */
export interface ClientPrincipal {
  readonly clientId: string;
}

/** Injects the {@link ClientPrincipal} that the access guard established. */
export const CurrentClient = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<Request & { client: ClientPrincipal }>().client,
);

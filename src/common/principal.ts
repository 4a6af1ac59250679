import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

import { requestOf } from './route-context.js';

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
  (_: unknown, context: ExecutionContext) => requestOf<Request & { user: Principal }>(context).user,
);

/** How clients authenticate, by the names of RFC 7591, section 2. */
export const clientAuthMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const;
export type ClientAuthMethod = (typeof clientAuthMethods)[number];

/** A service that has authenticated as itself. */
export interface ClientPrincipal {
  readonly clientId: string;
  readonly method: ClientAuthMethod;
  /** What its tokens may allow. */
  readonly scopes: readonly string[];
  /** Whom its tokens may be for. */
  readonly audiences: readonly string[];
  /** Whose tokens it may introspect. */
  readonly servedAudiences: readonly string[];
  /** NumericDate: the earliest `iat` that its tokens may have. */
  readonly tokensValidFrom: number;
  /** NumericDate, from before what it may was read. */
  readonly readAt: number;
}

/** Injects the {@link ClientPrincipal} that the access guard established. */
export const CurrentClient = createParamDecorator(
  (_: unknown, context: ExecutionContext) => requestOf<Request & { client: ClientPrincipal }>(context).client,
);

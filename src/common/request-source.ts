import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

import { canonicalAddress } from './network.js';
import { requestOf } from './route-context.js';

declare module 'http' {
  interface IncomingMessage {
    /** Set by {@link clientIp}, so that it is found once a request. */
    clientIp?: string;
  }
}

const USER_AGENT_MAX = 512;

/** Where a request comes from: what every audit row and session keeps. */
export interface RequestSource {
  /** The client's address: IPv4, or IPv6 in short form. */
  readonly ip: string;
  readonly userAgent: string | null;
  readonly requestId: string;
}

/** What audit rows say of what a start did: there is no request. */
export const FIRST_START: RequestSource = { ip: '127.0.0.1', userAgent: 'latchkey', requestId: 'first-start' };

/** The same of what was due. */
export const JANITOR: RequestSource = { ip: '127.0.0.1', userAgent: 'latchkey', requestId: 'janitor' };

/** Reads the {@link RequestSource}. Express's `trust proxy` has decided whose word counts. */
export function sourceOf(request: Request): RequestSource {
  return {
    ip: clientIp(request),
    userAgent: request.headers['user-agent']?.slice(0, USER_AGENT_MAX) ?? null,
    requestId: request.id,
  };
}

/**
 * The client's address, found once a request. A trusted proxy may still forward nonsense; then the
 * proxy's own address counts, so that the value is always an address.
 */
export function clientIp(request: Request): string {
  request.clientIp ??=
    canonicalAddress(request.ip ?? '') ?? canonicalAddress(request.socket.remoteAddress ?? '') ?? '0.0.0.0';
  return request.clientIp;
}

/** Injects the {@link RequestSource} into a controller's method. */
export const Source = createParamDecorator((_: unknown, context: ExecutionContext) => sourceOf(requestOf(context)));

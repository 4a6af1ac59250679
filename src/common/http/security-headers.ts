import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';

type HelmetOptions = Parameters<typeof helmet>[0];

/** An API answers data: nothing in it may run, be framed, or leak where it was linked from. */
const API: HelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
  },
  crossOriginEmbedderPolicy: true,
  referrerPolicy: { policy: 'no-referrer' },
  xFrameOptions: { action: 'deny' },
};

/** Swagger UI writes inline styles and data images; its scripts are files. */
const DOCS: HelmetOptions = {
  ...API,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
      'connect-src': ["'self'"],
      'font-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      'script-src': ["'self'"],
      'style-src': ["'self'", "'unsafe-inline'"],
    },
  },
};

/**
 * helmet's headers on every answer. They are the same for each request, so helmet runs once, here.
 * @param docsPath The folder of Swagger UI, which has a policy of its own.
 */
export function securityHeaders(docsPath: string) {
  const api = apiHeaders();
  const docs = headersOf(DOCS);
  return (request: Request, response: Response, next: NextFunction): void => {
    const inDocs = request.url.startsWith(docsPath) && /^[/?]?$/.test(request.url.charAt(docsPath.length));
    for (const [name, value] of inDocs ? docs : api) response.setHeader(name, value);
    next();
  };
}

/** helmet's headers for all but Swagger UI, by name and value. */
export const apiHeaders = (): [string, string][] => headersOf(API);

function headersOf(options: HelmetOptions): [string, string][] {
  const headers = new Map<string, string>();
  const response = Object.assign(new EventEmitter(), {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
  });
  helmet(options)({} as IncomingMessage, response as unknown as ServerResponse, (error) => {
    if (error) throw error;
  });
  return [...headers];
}

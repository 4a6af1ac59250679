import { randomUUID } from 'node:crypto';

import type { NextFunction, Request, Response } from 'express';

import type { Logger } from '../logging.js';

declare module 'http' {
  interface IncomingMessage {
    /** Set by {@link requestLog}. */
    id: string;
  }
}

/** What a caller may choose as its request id: enough for every tracing header, too little to inject. */
const SANE_REQUEST_ID = /^[A-Za-z0-9._:=+/-]{8,128}$/;

/**
 * Gives each request its id (the caller's where it is sane) and one log line when it ends: method,
 * path without query, status, milliseconds. No header and no body, so no credential. By hand, since
 * pino-http makes four child loggers for each request.
 */
export function requestLog(logger: Logger) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const id = requestIdOf(request);
    request.id = id;
    response.setHeader('X-Request-Id', id);
    const begun = performance.now();
    response.on('close', () => {
      const line = {
        request_id: id,
        method: request.method,
        path: pathOf(request.originalUrl),
        status: response.statusCode,
        duration_ms: Math.round(performance.now() - begun),
        ...(!response.writableFinished && { aborted: true }),
      };
      // 503 is a refusal, and under a flood thousands a second: who refuses says why.
      if (response.statusCode >= 500 && response.statusCode !== 503) logger.error(line, 'request');
      else logger.info(line, 'request');
    });
    next();
  };
}

/** The caller's own id where it is sane, else a new one. */
export function requestIdOf({ headers }: Pick<Request, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : randomUUID();
}

const pathOf = (url: string): string => {
  const query = url.indexOf('?');
  return (query < 0 ? url : url.slice(0, query)).slice(0, 256);
};

import http from 'node:http';

import { StreamableFile } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import express, { type Express, type Response } from 'express';

/** Far more than one process serves, and fewer than the file descriptors and memory that idle sockets may take. */
const MAX_CONNECTIONS = 10_000;

/**
 * Express sets the prototype of every request and response anew, which throws V8's shapes away
 * for the rest of the request. Here the server makes both from classes whose prototypes are
 * Express's own, so that this call finds nothing to change: about three times the requests
 * a second. `bench/adapter.mjs` measures whether that still holds.
 */
export class PresetExpressAdapter extends ExpressAdapter {
  constructor() {
    const app = express();
    // One spelling a path: /AUTH/me and /auth/me/ are not /auth/me. Read once, when the router is made.
    app.enable('strict routing');
    app.enable('case sensitive routing');
    app.disable('x-powered-by');
    app.disable('etag');
    super(app);
  }

  /** Answers with a plain object; by Express's own way everything else. Neither ETag nor 304 is in use here. */
  override reply(response: Response, body: unknown, statusCode?: number): unknown {
    if (typeof body !== 'object' || body === null || body instanceof StreamableFile || Buffer.isBuffer(body)) {
      return super.reply(response, body, statusCode);
    }
    if (statusCode !== undefined) response.statusCode = statusCode;
    const text = JSON.stringify(body);
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    response.setHeader('Content-Length', Buffer.byteLength(text));
    return response.end(text);
  }

  /** Asked about each request first; true where it has answered. */
  shedLoad: (request: http.IncomingMessage, response: http.ServerResponse) => boolean = () => false;

  /** Adds the routes that are tried last: so they cost the others nothing. */
  addLastRoutes: () => void = () => {};

  /** Nest's last step: what comes after it is never reached. */
  override setNotFoundHandler(...handler: Parameters<ExpressAdapter['setNotFoundHandler']>): unknown {
    this.addLastRoutes();
    return super.setNotFoundHandler(...handler);
  }

  override initHttpServer(): void {
    const app = this.getInstance<Express>();
    class PresetRequest extends http.IncomingMessage {}
    class PresetResponse extends http.ServerResponse {}
    preset(PresetRequest.prototype, app, 'request');
    preset(PresetResponse.prototype, app, 'response');
    this.httpServer = http.createServer(
      {
        IncomingMessage: PresetRequest,
        ServerResponse: PresetResponse,
        headersTimeout: 10_000, // slow senders hold a socket for this long at most
        requestTimeout: 30_000,
        connectionsCheckingInterval: 2000, // both are looked at so often: every 30 s by default
        keepAliveTimeout: 72_000, // longer than the usual 60 s of a proxy in front
        maxHeaderSize: 16_384,
      },
      (request, response) => {
        if (!this.shedLoad(request, response)) app(request, response);
      },
    );
    this.httpServer.maxConnections = MAX_CONNECTIONS;
  }
}

/** Gives `prototype` what Express's own has, its `app` and its parents, then takes its place. */
function preset(prototype: object, app: Express, name: 'request' | 'response'): void {
  Object.defineProperties(prototype, Object.getOwnPropertyDescriptors(app[name]));
  Object.setPrototypeOf(prototype, Object.getPrototypeOf(app[name]) as object);
  app[name] = prototype as never;
}

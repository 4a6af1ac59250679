import { isUtf8 } from 'node:buffer';

import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';

import { UNSUPPORTED_MEDIA_TYPE } from '../problem/catalogue.js';
import { Problem } from '../problem/problem.js';

const LIMIT = '64kb';
const JSON_UTF8 = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
const FORM = /^application\/x-www-form-urlencoded\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** Whether the body is a form, as its sender says. */
export const isForm = ({ headers }: { headers: { 'content-type'?: string } }): boolean =>
  FORM.test(headers['content-type'] ?? '');

const ofType = (pattern: RegExp) => (request: { headers: { 'content-type'?: string } }) =>
  pattern.test(request.headers['content-type'] ?? '');

/** RFC 8259, section 8.1: JSON between systems is UTF-8. Anything else is refused, not mended. */
function verify(_request: unknown, _response: unknown, body: Buffer): void {
  if (!isUtf8(body)) throw Object.assign(new Error('the body is not UTF-8'), { status: 400 });
}

/**
 * Reads bodies: JSON everywhere, forms on `formPaths` alone, at most 64 KiB, uncompressed.
 * A body of another type is 415, so that none is silently ignored.
 */
export function bodyReaders(formPaths: readonly string[]): RequestHandler[] {
  const form = express.urlencoded({
    extended: false,
    limit: LIMIT,
    inflate: false,
    parameterLimit: 32,
    type: (request) => isForm(request),
    verify,
  });
  return [
    express.json({ limit: LIMIT, inflate: false, strict: true, type: ofType(JSON_UTF8), verify }),
    (request, response, next) => (formPaths.includes(request.path) ? form(request, response, next) : next()),
    refuseUnread,
  ];
}

function refuseUnread(request: Request, _response: Response, next: NextFunction): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && request.body === undefined) throw new Problem(UNSUPPORTED_MEDIA_TYPE);
  next();
}

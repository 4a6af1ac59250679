import { isUtf8 } from 'node:buffer';
import { parse } from 'node:querystring';

import express, { type Request, type RequestHandler } from 'express';

import { BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE } from '../problem/catalogue.js';
import { Problem } from '../problem/problem.js';

const LIMIT = '64kb';
const MAX_PARAMETERS = 32;
const JSON_UTF8 = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
const FORM = /^application\/x-www-form-urlencoded\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** Whether the body is a form, as its sender says. */
export const isForm = ({ headers }: { headers: { 'content-type'?: string } }): boolean =>
  FORM.test(headers['content-type'] ?? '');

/** RFC 8259, section 8.1: JSON between systems is UTF-8. Anything else is refused, not mended. */
function verify(_request: unknown, _response: unknown, body: Buffer): void {
  if (!isUtf8(body)) throw Object.assign(new Error('the body is not UTF-8'), { status: 400 });
}

const isJson = ({ headers }: Request): boolean => JSON_UTF8.test(headers['content-type'] ?? '');

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Reads bodies: JSON everywhere, forms on `formPaths` alone, at most 64 KiB, uncompressed.
 * A body of another type is 415, so that none is silently ignored.
 */
export function bodyReader(formPaths: readonly string[]): RequestHandler {
  const options = { limit: LIMIT, inflate: false, verify, type: () => true };
  const readJson = express.json({ ...options, strict: true });
  const readText = express.text(options);
  const readForm: RequestHandler = (request, response, next) =>
    readText(request, response, (error?: unknown) => {
      if (error !== undefined) return next(error);
      if (typeof request.body !== 'string') return next();
      if (hasTooMany(request.body)) return next(new Problem(BODY_TOO_LARGE));
      // Flat, and several times as fast as what `express.urlencoded` parses with. A name given twice is an array.
      request.body = parse(request.body);
      next();
    });
  return (request, response, next) => {
    if (isJson(request)) return readJson(request, response, next);
    if (isForm(request) && formPaths.includes(request.path)) return readForm(request, response, next);
    if (hasBody(request)) throw new Problem(UNSUPPORTED_MEDIA_TYPE);
    next();
  };
}

const hasTooMany = (form: string): boolean => form.split('&', MAX_PARAMETERS + 1).length > MAX_PARAMETERS;

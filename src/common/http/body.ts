import { parse } from 'node:querystring';

import type { Request, RequestHandler } from 'express';

import { BODY_TOO_LARGE, MALFORMED_REQUEST, UNSUPPORTED_MEDIA_TYPE } from '../problem/catalogue.js';
import { Problem } from '../problem/problem.js';

const MAX_BYTES = 65_536;
const MAX_PARAMETERS = 32;
const JSON_UTF8 = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
const FORM = /^application\/x-www-form-urlencoded\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;

/** RFC 8259, section 8.1: JSON between systems is UTF-8. Anything else is refused, not mended; a byte order mark is left out. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether the body is a form, as its sender says. */
export const isForm = ({ headers }: { headers: { 'content-type'?: string } }): boolean =>
  FORM.test(headers['content-type'] ?? '');

const isJson = ({ headers }: Request): boolean => JSON_UTF8.test(headers['content-type'] ?? '');

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Reads bodies: JSON everywhere, forms on `formPaths` alone, at most 64 KiB, uncompressed.
 * A body of another type is 415, so that none is silently ignored. By hand, since Express's own readers take
 * a tenth of the time of a request that does little (docs/adr/0014).
 */
export function bodyReader(formPaths: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    if (!hasBody(request)) return next();
    const toBody = isJson(request) ? fromJson : isForm(request) && formPaths.includes(request.path) ? fromForm : null;
    const { 'content-encoding': encoding = 'identity', 'content-length': length } = request.headers;
    if (toBody === null || encoding.toLowerCase() !== 'identity') throw new Problem(UNSUPPORTED_MEDIA_TYPE);
    if (Number(length) > MAX_BYTES) throw new Problem(BODY_TOO_LARGE);
    readText(request, (fault, text) => {
      if (fault) return next(fault);
      try {
        if (text !== '') request.body = toBody(text);
      } catch (error) {
        return next(error);
      }
      next();
    });
  };
}

/**
 * Hands over the whole body, once; nothing where the client goes away before its end. What is past the limit, or
 * comes after the answer, is read and dropped.
 */
function readText(request: Request, done: (fault: Problem | null, text: string) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    const before = length;
    length += chunk.length;
    if (length <= MAX_BYTES) chunks.push(chunk);
    else if (before <= MAX_BYTES) done(new Problem(BODY_TOO_LARGE), '');
  });
  request.on('end', () => {
    if (length > MAX_BYTES) return;
    let text: string;
    try {
      text = utf8.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    } catch {
      return done(new Problem(MALFORMED_REQUEST), '');
    }
    done(null, text);
  });
}

/** An object or an array. */
function fromJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(MALFORMED_REQUEST);
  }
  if (typeof value !== 'object' || value === null) throw new Problem(MALFORMED_REQUEST);
  return value;
}

/** Flat; a name given twice is an array. */
function fromForm(text: string): unknown {
  let parameters = 1;
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1))
    if (++parameters > MAX_PARAMETERS) throw new Problem(BODY_TOO_LARGE);
  return parse(text);
}

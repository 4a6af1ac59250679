import type { IncomingMessage, ServerResponse } from 'node:http';

import type { HashGate } from '../hash-gate.js';
import type { Logger } from '../logging.js';
import { OVERLOADED } from '../problem/catalogue.js';
import { requestIdOf } from './request-log.js';
import { apiHeaders } from './security-headers.js';

const REPORT_MS = 1000;
/** How many are answered before the event loop looks at everybody else again. */
const PER_TURN = 16;

interface Refused {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Turns requests that would hash a password away while the gate is full, before Express sees them:
 * under a flood of sign-ins the refusals must cost next to nothing, or refreshes wait behind them. The answer
 * is the ordinary 503, ready-made. The log has one line a second for all of them. A page of another origin goes
 * the long way, where CORS is decided.
 * @param paths Those whose POST hashes a password.
 * @returns Whether the request was answered.
 */
export function shedLoad(
  gate: HashGate,
  paths: readonly string[],
  { publicUrl, logger }: { publicUrl: string; logger: Logger },
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const hashing = new Set(paths);
  const { code, title, status, detail } = OVERLOADED;
  const type = `${publicUrl}/problems/${code}`;
  const body = (id: string) => JSON.stringify({ type, title, status, detail, code, request_id: id });
  const constant = [
    ...apiHeaders().flat(),
    ...['Content-Type', 'application/problem+json; charset=utf-8'],
    ...['Cache-Control', 'no-store', 'Retry-After', String(Math.ceil(gate.retryAfterSeconds))],
  ];
  let turnedAway = 0;
  const report = () => {
    logger.warn({ count: turnedAway }, 'the password queue is full: requests were turned away');
    turnedAway = 0;
  };
  const answer = ({ request, response }: Refused) => {
    const id = requestIdOf(request);
    const text = body(id);
    const length = Buffer.byteLength(text);
    response.writeHead(status, [...constant, 'X-Request-Id', id, 'Content-Length', String(length)]);
    response.end(text);
  };
  const waiting: Refused[] = [];
  const answerSome = () => {
    for (const refused of waiting.splice(0, PER_TURN)) answer(refused);
    if (waiting.length > 0) setImmediate(answerSome);
  };
  return (request, response) => {
    if (!gate.isFull || request.method !== 'POST' || request.headers.origin !== undefined) return false;
    if (!hashing.has(request.url!)) return false;
    gate.refuse();
    if (turnedAway++ === 0) setTimeout(report, REPORT_MS).unref();
    if (waiting.push({ request, response }) === 1) setImmediate(answerSome);
    return true;
  };
}

import type { NextFunction, Request, RequestHandler, Response } from 'express';

import type { HashGate } from '../hash-gate.js';
import { Problem } from '../problem/problem.js';

/**
 * Turns requests that would hash away while the gate is full, before anything else is done for
 * them: under a flood of sign-ins the refusals must cost next to nothing, or refreshes wait behind them.
 * @param paths Those whose POST hashes a password.
 */
export function shedLoad(
  gate: HashGate,
  paths: readonly string[],
  answer: (problem: Problem, request: Request, response: Response) => void,
): RequestHandler {
  const hashing = new Set(paths);
  return (request: Request, response: Response, next: NextFunction): void => {
    const refusal = request.method === 'POST' && hashing.has(request.path) ? gate.refusal : null;
    if (refusal) answer(refusal, request, response);
    else next();
  };
}

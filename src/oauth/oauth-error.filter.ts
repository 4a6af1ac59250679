import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';

import { Problem } from '../common/problem/problem.js';
import { ProblemFilter } from '../common/problem/problem.filter.js';
import { type OAuthErrorCode, oauthErrorCodes } from './oauth.schemas.js';

/** Others become 400. A body that is too large keeps the status that proxies and libraries know. */
const STATUSES = [401, 413];

/** Answers in OAuth's own shape (RFC 6749, section 5.2), which is what OAuth clients read; all else as a problem. */
@Catch()
@Injectable()
export class OAuthErrorFilter implements ExceptionFilter {
  constructor(private readonly problems: ProblemFilter) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<Request>(), http.getResponse<Response>());
  }

  answer(error: unknown, request: Request, response: Response): void {
    const problem = this.problems.toProblem(error, request);
    const code = oauthErrorOf(problem);
    if (code === null || response.headersSent) {
      this.problems.answer(problem, request, response);
      return;
    }
    if (code === 'invalid_client') response.setHeader('WWW-Authenticate', 'Basic realm="latchkey", charset="UTF-8"');
    response.setHeader('Cache-Control', 'no-store');
    const { status } = problem.type;
    response
      .status(STATUSES.includes(status) ? status : 400)
      .json({ error: code, error_description: descriptionOf(problem) });
  }
}

function oauthErrorOf({ type }: Problem): OAuthErrorCode | null {
  const own = oauthErrorCodes.find((code) => code === type.code);
  return own ?? ([400, 413, 415, 422].includes(type.status) ? 'invalid_request' : null);
}

/** In the characters that RFC 6749, section 5.2, lets it have. */
function descriptionOf({ message, options }: Problem): string {
  const faults = options.errors?.map(({ field, message: fault }) => `${field} ${fault}`) ?? [];
  const text = faults.length > 0 ? `${faults.join('; ')}.` : message;
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?');
}

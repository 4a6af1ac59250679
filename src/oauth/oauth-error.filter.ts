import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import type { Response } from 'express';

import { INVALID_CLIENT } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { ProblemFilter } from '../common/problem/problem.filter.js';

/** Answers in OAuth's own shape (RFC 6749, section 5.2), which is what OAuth clients read; all else as a problem. */
@Catch()
@Injectable()
export class OAuthErrorFilter implements ExceptionFilter {
  constructor(private readonly problems: ProblemFilter) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const code = error instanceof Problem ? oauthErrorOf(error) : null;
    if (code === null) {
      this.problems.catch(error, host);
      return;
    }
    const response = host.switchToHttp().getResponse<Response>();
    if (code === 'invalid_client') response.setHeader('WWW-Authenticate', 'Basic realm="latchkey", charset="UTF-8"');
    response.setHeader('Cache-Control', 'no-store');
    response
      .status(code === 'invalid_client' ? 401 : 400)
      .json({ error: code, error_description: (error as Problem).message });
  }
}

function oauthErrorOf({ type }: Problem): 'invalid_client' | 'invalid_request' | null {
  if (type === INVALID_CLIENT) return 'invalid_client';
  return [400, 415, 422].includes(type.status) ? 'invalid_request' : null;
}

import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable } from '@nestjs/common';
import type { Response } from 'express';

import { INVALID_CLIENT } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { ProblemFilter } from '../common/problem/problem.filter.js';
import { type OAuthErrorCode, oauthErrorCodes } from './oauth.schemas.js';

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
      .status(code === INVALID_CLIENT.code ? 401 : 400)
      .json({ error: code, error_description: descriptionOf(error as Problem) });
  }
}

function oauthErrorOf({ type }: Problem): OAuthErrorCode | null {
  const own = oauthErrorCodes.find((code) => code === type.code);
  return own ?? ([400, 415, 422].includes(type.status) ? 'invalid_request' : null);
}

/** In the characters that RFC 6749, section 5.2, lets it have. */
function descriptionOf({ message, options }: Problem): string {
  const faults = options.errors?.map(({ field, message: fault }) => `${field} ${fault}`) ?? [];
  const text = faults.length > 0 ? `${faults.join('; ')}.` : message;
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?');
}

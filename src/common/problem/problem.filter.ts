import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject } from '@nestjs/common';
import type { Request, Response } from 'express';

import { Logger } from '../logging.js';
import { allowedMethods } from '../http/allowed-methods.js';
import {
  BODY_TOO_LARGE,
  FORBIDDEN,
  INTERNAL_ERROR,
  INVALID_CLIENT,
  MALFORMED_REQUEST,
  METHOD_NOT_ALLOWED,
  NOT_FOUND,
  OVERLOADED,
  UNSUPPORTED_MEDIA_TYPE,
} from './catalogue.js';
import { Problem } from './problem.js';

/** What the filter needs to know about the world: nothing of a feature. */
export interface ProblemSettings {
  /** The prefix of every `type`: `<publicUrl>/problems/<code>`. */
  publicUrl: string;
  /** Whether an unknown error means that the database is away. */
  isUnavailable: (error: unknown) => boolean;
}
export const PROBLEM_SETTINGS = Symbol('ProblemSettings');

const RETRY_AFTER_OUTAGE_SECONDS = 2;

/**
 * Answers every error of the service as `application/problem+json` (RFC 9457). What it does not
 * know becomes a 500 that says its request id alone; the log has the rest.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    @Inject(PROBLEM_SETTINGS) private readonly settings: ProblemSettings,
    private readonly logger: Logger,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<Request>(), http.getResponse<Response>());
  }

  answer(error: unknown, request: Request, response: Response): void {
    const problem = this.toProblem(error, request);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { type, options } = problem;
    for (const [name, value] of Object.entries(options.headers ?? {})) response.setHeader(name, value);
    if (options.retryAfterSeconds !== undefined) {
      response.setHeader('Retry-After', String(Math.max(1, Math.ceil(options.retryAfterSeconds))));
    }
    if (type.status === 401) response.setHeader('WWW-Authenticate', challenge(type.code));
    const body = JSON.stringify({
      type: `${this.settings.publicUrl}/problems/${type.code}`,
      title: type.title,
      status: type.status,
      detail: problem.message,
      code: type.code,
      request_id: request.id,
      ...(options.errors && { errors: options.errors }),
      ...options.members,
    });
    response.statusCode = type.status;
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(body);
  }

  /** What is said of an error; what is not expected goes to the log. */
  toProblem(error: unknown, request: Request): Problem {
    if (error instanceof Problem) return error;
    if (error instanceof HttpException) return this.fromHttpException(error, request);
    if (isRefusal(error)) return new Problem(error.status === 404 ? NOT_FOUND : MALFORMED_REQUEST);
    if (this.settings.isUnavailable(error)) {
      this.logger.warn({ err: error, request_id: request.id }, 'the database is unavailable');
      return new Problem(OVERLOADED, { retryAfterSeconds: RETRY_AFTER_OUTAGE_SECONDS });
    }
    this.logger.error({ err: error, request_id: request.id }, 'unexpected error');
    return new Problem(INTERNAL_ERROR);
  }

  private fromHttpException(error: HttpException, request: Request): Problem {
    switch (error.getStatus()) {
      case 400:
        return new Problem(MALFORMED_REQUEST);
      case 403:
        return new Problem(FORBIDDEN);
      case 404: {
        const allow = allowedMethods(request);
        return allow.length > 0
          ? new Problem(METHOD_NOT_ALLOWED, { headers: { Allow: allow.join(', ') } })
          : new Problem(NOT_FOUND);
      }
      case 413:
        return new Problem(BODY_TOO_LARGE);
      case 415:
        return new Problem(UNSUPPORTED_MEDIA_TYPE);
      case 503:
        return new Problem(OVERLOADED, { retryAfterSeconds: RETRY_AFTER_OUTAGE_SECONDS });
      default:
        if (error.getStatus() < 500) return new Problem(MALFORMED_REQUEST); // a precondition or range of a file
        this.logger.error({ err: error, request_id: request.id }, 'unexpected error');
        return new Problem(INTERNAL_ERROR);
    }
  }
}

/** RFC 6750, section 3.1: a request without credentials gets the bare challenge. RFC 6749, section 5.2, for clients. */
function challenge(code: string): string {
  if (code === INVALID_CLIENT.code) return 'Basic realm="latchkey", charset="UTF-8"';
  return code.startsWith('token_') && code !== 'token_missing' ? 'Bearer error="invalid_token"' : 'Bearer';
}

/** What Express itself refuses: a path that cannot be decoded, a file that is not there. */
const isRefusal = (error: unknown): error is Error & { status: number } =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500;

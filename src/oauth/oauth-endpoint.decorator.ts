import { applyDecorators, Header, HttpCode, UseFilters, UseGuards } from '@nestjs/common';
import { ApiConsumes, ApiExtension, ApiResponse } from '@nestjs/swagger';

import { Access } from '../common/access.js';
import { BODY_TOO_LARGE } from '../common/problem/catalogue.js';
import type { ProblemType } from '../common/problem/problem.js';
import { RateLimit } from '../protection/rate-limit.js';
import { OAuthErrorFilter } from './oauth-error.filter.js';
import { OAuthRequestGuard } from './oauth-request.guard.js';
import { oauthError } from './oauth.schemas.js';

/**
 * What all endpoints for OAuth clients have in common. Whoever authenticates is not counted here: services call as often as
 * they are called. Failures are, by `FailedClients`.
 *
 * @param types What it answers 400 with, beside `invalid_request`.
 */
export const OAuthEndpoint = (...types: ProblemType[]): MethodDecorator =>
  applyDecorators(
    Access('client'),
    RateLimit('none'),
    UseGuards(OAuthRequestGuard),
    UseFilters(OAuthErrorFilter),
    HttpCode(200),
    Header('Cache-Control', 'no-store'),
    ApiConsumes('application/x-www-form-urlencoded'),
    ApiExtension('x-oauth-errors', true),
    ApiResponse({
      status: 400,
      description: ['invalid_request', ...types.map(({ code }) => code)].map((code) => `\`${code}\``).join(', '),
      content: {
        'application/json': {
          schema: { $ref: '#/components/schemas/OAuthError' },
          examples: Object.fromEntries([INVALID_REQUEST, ...types].map((type) => [type.code, exampleOf(type)])),
        },
      },
    }),
    ApiResponse({ status: 401, standardSchema: oauthError, description: '`invalid_client`.' }),
    ApiResponse({
      status: 413,
      standardSchema: oauthError,
      description: '`invalid_request`: the body is too large.',
      example: exampleOf({ ...BODY_TOO_LARGE, code: INVALID_REQUEST.code }).value,
    }),
  );

/** Not in the catalogue: elsewhere each such fault has a code of its own. */
const INVALID_REQUEST = {
  code: 'invalid_request',
  title: 'The request is not valid',
  detail: 'Send each parameter once.',
};

const exampleOf = ({ code, title, detail }: Pick<ProblemType, 'code' | 'title' | 'detail'>) => ({
  summary: title,
  value: { error: code, error_description: detail },
});

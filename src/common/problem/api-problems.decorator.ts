import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';

import type { ProblemType } from './problem.js';

/** Documents the problems that a route may answer with: one response a status, one example a code. */
export function ApiProblems(...types: ProblemType[]): MethodDecorator & ClassDecorator {
  const byStatus = new Map<number, ProblemType[]>();
  for (const type of types) byStatus.set(type.status, [...(byStatus.get(type.status) ?? []), type]);
  return applyDecorators(
    ...[...byStatus].map(([status, ofStatus]) =>
      ApiResponse({
        status,
        description: ofStatus.map((type) => `\`${type.code}\`: ${type.title}.`).join(' '),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(ofStatus.map((type) => [type.code, problemExample(type)])),
          },
        },
      }),
    ),
  );
}

/** How an answer with this problem looks, as an OpenAPI example. */
export const problemExample = (type: ProblemType) => ({
  summary: type.title,
  value: {
    type: `https://auth.example.com/problems/${type.code}`,
    title: type.title,
    status: type.status,
    detail: type.detail,
    code: type.code,
    request_id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10',
    ...(type.code === 'step_up_required' && { methods: ['password', 'totp'] }),
    ...(type.status === 422 && { errors: [{ field: 'password', message: 'must not be empty' }] }),
  },
});

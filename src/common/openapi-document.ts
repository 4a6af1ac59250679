import { ApiExtension, type OpenAPIObject } from '@nestjs/swagger';

import { OPTIONAL_BODY } from './optional-bodies.js';
import {
  BODY_TOO_LARGE,
  FORBIDDEN,
  INTERNAL_ERROR,
  INVALID_CLIENT,
  MALFORMED_REQUEST,
  MFA_ENROLLMENT_REQUIRED,
  OVERLOADED,
  PASSWORD_CHANGE_REQUIRED,
  problemCatalogue,
  RATE_LIMITED,
  STEP_UP_REQUIRED,
  TOKEN_EXPIRED,
  TOKEN_INVALID,
  TOKEN_MISSING,
  TOKEN_REVOKED,
  UNSUPPORTED_MEDIA_TYPE,
} from './problem/catalogue.js';
import { problemExample } from './problem/api-problems.decorator.js';
import type { ProblemType } from './problem/problem.js';

type Operation = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- OpenAPI's own shape, amended in place

const ALSO_AS = 'x-also-as';

/** Documents other media types of the same answer, with an example of each: @nestjs/swagger knows one schema an answer. */
export const ApiAlsoAs = (examples: Record<string, string>): MethodDecorator =>
  ApiExtension(
    ALSO_AS,
    Object.fromEntries(
      Object.entries(examples).map(([type, example]) => [type, { schema: { type: 'string' }, example }]),
    ),
  );

/** Adds what holds for every route, so that no route has to say it: common problems, headers, the problem's schema. */
export function completeDocument(document: OpenAPIObject): OpenAPIObject {
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, Problem: problemSchema() as never };
  document.components.schemas = Object.fromEntries(
    Object.entries(document.components.schemas).toSorted(([a], [b]) => a.localeCompare(b)),
  );
  Object.values(document.components.schemas as Record<string, Schema>).forEach(unwrapReferences);
  for (const item of Object.values(document.paths)) {
    for (const operation of Object.values(item as Record<string, Operation>)) {
      complete(operation);
      giveExamples(operation, document.components.schemas);
    }
  }
  return document;
}

function complete(operation: Operation): void {
  const access = operation['x-access'] as string;
  const common: ProblemType[] = [INTERNAL_ERROR, OVERLOADED];
  if (operation.tags?.[0] !== 'Operations') common.push(RATE_LIMITED);
  const speaksOAuth = operation['x-oauth-errors'] === true; // it documents its own shape of 400, 401 and 413
  if (operation.requestBody && !speaksOAuth) common.push(MALFORMED_REQUEST, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE);
  if (access === 'client' && !speaksOAuth) common.push(INVALID_CLIENT);
  if (access !== 'client' && access !== 'public')
    common.push(TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_REVOKED, FORBIDDEN, PASSWORD_CHANGE_REQUIRED);
  if (operation['x-open-before-second-factor'] !== true && access !== 'client' && access !== 'public')
    common.push(MFA_ENROLLMENT_REQUIRED, STEP_UP_REQUIRED);
  delete operation['x-open-before-second-factor'];
  for (const type of common) addProblem(operation, type);
  if (operation[OPTIONAL_BODY] === true) operation.requestBody.required = false;
  delete operation[OPTIONAL_BODY];
  Object.assign(operation.responses[200]?.content ?? {}, operation[ALSO_AS]);
  delete operation[ALSO_AS];
  if (access === 'public') operation.security = [];
  else if (access !== 'client') operation.security = [...(operation.security ?? []), { password: [] }];
  operation.responses = Object.fromEntries(
    Object.entries(operation.responses as object).toSorted(([a], [b]) => a.localeCompare(b)),
  );
  for (const [status, response] of Object.entries(operation.responses as Record<string, Operation>)) {
    response.headers = {
      'X-Request-Id': {
        description: 'The id of this request: the caller’s own where it sent one.',
        schema: { type: 'string' },
      },
      ...(['429', '503'].includes(status) && {
        'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } },
      }),
      ...(status === '401' && {
        'WWW-Authenticate': {
          description: access === 'client' ? 'RFC 7617.' : 'RFC 6750.',
          schema: { type: 'string' },
          example: access === 'client' ? 'Basic realm="latchkey"' : 'Bearer',
        },
      }),
      ...response.headers,
    };
  }
}

/** Shows every body as an example, put together from those of its members. */
function giveExamples(operation: Operation, schemas: Record<string, Schema>): void {
  const bodies = [operation.requestBody, ...Object.values(operation.responses as Record<string, Operation>)];
  for (const body of bodies) {
    for (const media of Object.values((body?.content ?? {}) as Record<string, Operation>)) {
      if (media.schema && !media.example && !media.examples) media.example = exampleOf(media.schema as Schema, schemas);
    }
  }
}

interface Schema {
  $ref?: string;
  example?: unknown;
  const?: unknown;
  enum?: unknown[];
  allOf?: Schema[];
  anyOf?: Schema[];
  type?: string | string[];
  format?: string;
  minimum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
}

/** An optional member that is a named schema comes as an `allOf` of one. */
function unwrapReferences({ properties = {} }: Schema): void {
  for (const [name, member] of Object.entries(properties))
    if (member.allOf?.length === 1 && Object.keys(member).length === 1) [properties[name]] = member.allOf;
}

function exampleOf(schema: Schema, schemas: Record<string, Schema>): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.$ref) return exampleOf(schemas[schema.$ref.split('/').pop()!], schemas);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return exampleOf(schema.anyOf[0], schemas);
  if (schema.properties) {
    const shown = Object.entries(schema.properties).filter(([name]) => schema.required?.includes(name));
    return Object.fromEntries(shown.map(([name, member]) => [name, exampleOf(member, schemas)]));
  }
  if (schema.items) return [exampleOf(schema.items, schemas)];
  if (schema.type === 'boolean') return false;
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 0;
  return schema.format === 'uuid' ? '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10' : null;
}

function addProblem(operation: Operation, type: ProblemType): void {
  const response = (operation.responses[type.status] ??= {
    description: '',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, examples: {} } },
  });
  const { examples } = response.content['application/problem+json'];
  if (examples[type.code]) return;
  examples[type.code] = problemExample(type);
  response.description = [response.description, `\`${type.code}\`: ${type.title}.`].filter(Boolean).join(' ');
}

const problemSchema = () => ({
  type: 'object',
  description: 'RFC 9457. `type` leads to a page that explains the code.',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'One plain sentence for a person.' },
    code: { type: 'string', enum: problemCatalogue.map((type) => type.code) },
    request_id: { type: 'string' },
    methods: { type: 'array', description: 'With `step_up_required`: what would do.', items: { type: 'string' } },
    mfa_token: {
      type: 'string',
      description: 'With `mfa_enrollment_required` at a sign-in: sets a factor up, and opens nothing else.',
    },
    mfa_methods: { type: 'array', description: 'With `mfa_token`: what may be set up.', items: { type: 'string' } },
    expires_in: { type: 'integer', description: 'With `mfa_token`: seconds.' },
    reason: { type: 'string', description: 'With `weak_password`.' },
    suggestion: { type: 'string', description: 'With `weak_password`.' },
    errors: {
      type: 'array',
      description: 'On 422.',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
});

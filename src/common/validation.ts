import { StandardSchemaValidationPipe } from '@nestjs/common';
import { z } from 'zod';

import { VALIDATION_FAILED } from './problem/catalogue.js';
import { type FieldError, Problem } from './problem/problem.js';

// Plain words for what zod says in terms of types.
z.config({
  customError: (issue) => {
    if (issue.code !== 'invalid_type') return undefined;
    return issue.input === undefined
      ? 'is required'
      : `must be ${issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`}`;
  },
});

/** Text that PostgreSQL and UTF-8 can hold: no NUL, no lone surrogate. */
export const text = () =>
  z.string().refine((value) => !value.includes('\0') && value.isWellFormed(), {
    message: 'must be well-formed text without NUL',
    abort: true,
  });

/** Counts code points, as a person would, rather than UTF-16 units. */
export const codePoints = (value: string): number => [...value].length;

const FIELDS_SHOWN = 20;

/** Validates bodies, parameters and queries by the schema that their decorator names; 422 otherwise. */
export class ValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({
      exceptionFactory: (issues) =>
        new Problem(VALIDATION_FAILED, { errors: issues.slice(0, FIELDS_SHOWN).flatMap(toFieldErrors) }),
    });
  }

  /** Left in place, so that the strict schema refuses them by name like any unknown field. */
  protected override stripProtoKeys(): void {}
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string;
  readonly keys?: readonly string[];
}

function toFieldErrors(issue: Issue): FieldError[] {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  if (issue.code === 'unrecognized_keys' && issue.keys) {
    return issue.keys
      .slice(0, FIELDS_SHOWN)
      .map((key) => ({ field: [path, key.slice(0, 64)].filter(Boolean).join('.'), message: 'is not a known field' }));
  }
  return [{ field: path || 'body', message: issue.message }];
}

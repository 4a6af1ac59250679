import { z } from 'zod';

import { codePoints, text } from '../common/validation.js';

/** RFC 6749, section 3.3. */
export const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;
/** All scopes of a token together: tokens travel in headers. */
const MAX_SCOPE_LENGTH = 2048;
/** Tokens with these audiences mend an account here; nobody else may be taken for their reader. */
const OWN_AUDIENCES = /^urn:latchkey:/i;

export const clientName = text()
  .min(1, 'must not be empty')
  .refine((value) => codePoints(value) <= 64, 'must be at most 64 characters long')
  .meta({ example: 'billing' });

export const scopes = z
  .array(text().regex(SCOPE_TOKEN, 'must be a scope: visible ASCII without quotes, backslash and space'))
  .max(100, 'must be at most 100')
  .refine(
    (list) => list.join(' ').length <= MAX_SCOPE_LENGTH,
    `must be at most ${MAX_SCOPE_LENGTH} characters together`,
  )
  .transform((list) => [...new Set(list)].toSorted())
  .meta({ description: 'What its tokens may allow (RFC 6749, section 3.3).', example: ['invoices:read'] });

const audienceList = z
  .array(
    text()
      .regex(/^\S{1,256}$/, 'must be a name or URL without spaces, at most 256 characters long')
      .refine((value) => !OWN_AUDIENCES.test(value), 'must not be one that the service keeps for itself'),
  )
  .max(20, 'must be at most 20')
  .transform((list) => [...new Set(list)]);

export const audiences = audienceList.meta({
  description: 'Whom its tokens may be for. A request that names none gets the first; without any it gets no tokens.',
  example: ['https://invoices.example.com'],
});

export const servedAudiences = audienceList.nullable().meta({
  description: 'Whose tokens it may introspect, being their resource server. Null: those for JWT_AUDIENCE.',
  example: null,
});

/** For how long the secret before stays good after a rotation. */
export const overlapHours = z.int().min(0, 'must be at least 0').max(720, 'must be at most 720').meta({
  description: 'For how long the secret before stays good. 0: it is no more, nor are its tokens.',
  example: 24,
});
export const DEFAULT_OVERLAP_HOURS = 24;

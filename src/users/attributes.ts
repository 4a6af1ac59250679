import { z } from 'zod';

import { text } from '../common/validation.js';

/** A value of an attribute, as a claim may carry it. */
export type AttributeValue = string | number | boolean | string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

const NAME = /^[a-z][a-z0-9_]{0,31}$/;
const MAX_ATTRIBUTES = 32;

const value = z.union([
  text().max(256, 'must be at most 256 characters long'),
  z.number(),
  z.boolean(),
  z.array(text().max(64, 'must be at most 64 characters long')).max(16, 'must be at most 16'),
]);

/** What administrators say of a user; small, since tokens may carry it. `org_id` always becomes a claim. */
export const attributes = z
  .record(z.string().regex(NAME, 'must be lower-case letters, digits and underscore, at most 32'), value)
  .refine((given) => Object.keys(given).length <= MAX_ATTRIBUTES, `must be at most ${MAX_ATTRIBUTES}`)
  .refine((given) => given.org_id === undefined || typeof given.org_id === 'string', 'org_id must be text')
  .meta({
    description: 'Names and values; `TOKEN_CLAIMS` says which become claims, besides `org_id`.',
    example: { org_id: 'acme' },
  });

import { z } from 'zod';

import { VALIDATION_FAILED } from './problem/catalogue.js';
import { Problem } from './problem/problem.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** `limit` and `cursor` of every list. */
export const pageQuery = z.strictObject({
  limit: z.coerce
    .number('must be a number from 1 to 200')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(200, 'must be at most 200')
    .default(50)
    .meta({ description: 'How many items at most.' }),
  cursor: z.string().max(200).optional().meta({ description: 'The next_cursor of the page before.' }),
});

export type PageQuery = z.infer<typeof pageQuery>;

/** The answer of a list. */
export const page = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    items: z.array(item),
    next_cursor: z.string().nullable().meta({ description: 'Null on the last page.', example: null }),
  });

/** The id that a cursor stands for; null for the first page. @throws Problem `validation_failed` */
export function openCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, 'base64url').toString();
  if (!UUID.test(id)) {
    throw new Problem(VALIDATION_FAILED, {
      errors: [{ field: 'cursor', message: 'must be a next_cursor of this list' }],
    });
  }
  return id;
}

/** Cuts `rows`, of which one more than `limit` was read, into a page. */
export function toPage<Row extends { id: string }, Item>(rows: Row[], limit: number, toItem: (row: Row) => Item) {
  const shown = rows.slice(0, limit);
  const next = rows.length > limit ? Buffer.from(shown[shown.length - 1].id).toString('base64url') : null;
  return { items: shown.map(toItem), next_cursor: next };
}

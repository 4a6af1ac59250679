import { z } from 'zod';

import { VALIDATION_FAILED } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import { pageQuery } from '../common/paging.js';
import { revocationReasons } from './revocation.js';

/** Where a reader goes on: `horizon`, and within a page that was not the last, the last entry's place. */
export interface FeedCursor {
  readonly horizon: number;
  readonly after: { readonly position: number; readonly id: string } | null;
}

const CURSOR = /^(\d{1,16})(?:\.(\d{1,16})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?$/;

export const START: FeedCursor = { horizon: 0, after: null };

export const formatCursor = ({ horizon, after }: FeedCursor): string =>
  after ? `${horizon}.${after.position}.${after.id}` : `${horizon}`;

/** @throws Problem `validation_failed` */
export function parseCursor(text: string | undefined, field: string): FeedCursor {
  if (text === undefined || text === '') return START;
  const match = CURSOR.exec(text);
  if (!match) {
    const errors = [{ field, message: 'must be a next_cursor or an event id of this feed' }];
    throw new Problem(VALIDATION_FAILED, { errors });
  }
  const [, horizon, position, id] = match;
  return { horizon: Number(horizon), after: position === undefined ? null : { position: Number(position), id } };
}

export const feedQuery = z.strictObject({
  after: z.string().max(100).optional().meta({ description: 'The next_cursor of the answer before.' }),
  limit: pageQuery.shape.limit,
});
export type FeedQuery = z.infer<typeof feedQuery>;

/** One thing that counts no more. */
export const revocationEntry = z
  .strictObject({
    id: z.uuid().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a13' }),
    kind: z.enum(['token', 'session', 'user', 'client', 'key']).meta({
      description: 'Which claim `subject` is compared with: jti, sid, sub, client_id; or the header’s kid.',
      example: 'session',
    }),
    subject: z.string().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11' }),
    issued_before: z
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .nullable()
      .meta({ description: 'NumericDate: tokens with an earlier iat are refused. Null: all of them.', example: null }),
    reason: z.enum(revocationReasons).meta({ example: 'logout' }),
    revoked_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
    expires_at: z.iso
      .datetime()
      .meta({ description: 'No token that it could refuse is left then.', example: '2026-01-31T12:15:10.000Z' }),
    set: z.string().optional().meta({ description: 'RFC 8417, where REVOCATION_EVENT_TOKENS is on.' }),
  })
  .meta({ id: 'Revocation' });

export const revocationPage = z
  .strictObject({
    items: z.array(revocationEntry),
    next_cursor: z.string().meta({
      description: 'Go on from here, at once while `more` is true, else whenever you like. Entries may come twice.',
      example: '812345',
    }),
    more: z.boolean().meta({ example: false }),
  })
  .meta({ id: 'RevocationPage' });
export type RevocationPage = z.infer<typeof revocationPage>;

import { z } from 'zod';

import { page } from '../common/paging.js';
import { agentFamily } from './device.js';
import type { Session } from './session.entity.js';

/** One of a user's live sessions. */
export const sessionView = z
  .strictObject({
    id: z.uuid().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11' }),
    current: z.boolean().meta({ description: 'Whether this request belongs to it.', example: true }),
    device: z.string().meta({ description: 'A label from the agent.', example: 'Chrome on macOS' }),
    ip: z.string().meta({ description: 'Where it was seen last.', example: '203.0.113.7' }),
    city: z.string().nullable().meta({ example: null }),
    country: z.string().nullable().meta({ example: null }),
    created_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
    last_seen_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
    expires_at: z.iso
      .datetime()
      .meta({ description: 'It ends then, unless it is refreshed before.', example: '2026-02-14T12:00:00.000Z' }),
  })
  .meta({ id: 'Session' });

export const sessionPage = page(sessionView).meta({ id: 'SessionPage' });

export const toSessionView =
  (currentId: string | null) =>
  (session: Session): z.infer<typeof sessionView> => ({
    id: session.id,
    current: session.id === currentId,
    device: agentFamily(session.userAgent) || 'Unknown',
    ip: session.ip,
    city: null,
    country: null,
    created_at: session.createdAt.toISOString(),
    last_seen_at: session.lastSeenAt.toISOString(),
    expires_at: new Date(Math.min(session.idleExpiresAt.getTime(), session.expiresAt.getTime())).toISOString(),
  });

export const revokedResponse = z
  .strictObject({
    revoked: z.int().min(0).max(1_000_000).meta({ description: 'How many sessions ended.', example: 1 }),
  })
  .meta({ id: 'RevokedResponse' });
export type RevokedResponse = z.infer<typeof revokedResponse>;

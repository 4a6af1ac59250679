import { z } from 'zod';

import { page } from '../common/paging.js';
import { type AuditEvent } from './audit-event.entity.js';
import { auditEventTypes } from './audit-event-types.js';

const types = Object.keys(auditEventTypes) as [string, ...string[]];

/** One of a user's own events. */
export const activityEvent = z
  .strictObject({
    id: z.uuid().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10' }),
    occurred_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
    type: z.enum(types).meta({ example: 'login.succeeded' }),
    outcome: z.enum(['success', 'failure', 'refused']),
    reason: z.string().nullable().meta({ description: 'Why, where the type leaves it open.', example: null }),
    session_id: z.uuid().nullable(),
    ip: z.string().nullable().meta({ example: '203.0.113.7' }),
    user_agent: z.string().nullable(),
    country: z.string().nullable(),
    city: z.string().nullable(),
    request_id: z.string().nullable(),
  })
  .meta({ id: 'ActivityEvent' });

export const activityPage = page(activityEvent).meta({ id: 'ActivityPage' });

export const toActivityEvent = (event: AuditEvent): z.infer<typeof activityEvent> => ({
  id: event.id,
  occurred_at: event.occurredAt.toISOString(),
  type: event.type,
  outcome: event.outcome as 'success' | 'failure' | 'refused',
  reason: typeof event.details.reason === 'string' ? event.details.reason : null,
  session_id: event.sessionId,
  ip: event.ip,
  user_agent: event.userAgent,
  country: event.country,
  city: event.city,
  request_id: event.requestId,
});

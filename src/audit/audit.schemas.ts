import { z } from 'zod';

import { canonicalNetwork } from '../common/network.js';
import { page, pageQuery } from '../common/paging.js';
import { type AuditEvent } from './audit-event.entity.js';
import { auditEventTypes } from './audit-event-types.js';

const type = z.enum(Object.keys(auditEventTypes) as [string, ...string[]], 'must be a type of audit event');
const outcome = z.enum(['success', 'failure', 'refused']);

/** One of a user's own events. */
export const activityEvent = z
  .strictObject({
    id: z.uuid().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10' }),
    occurred_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
    type: type.meta({ example: 'login.succeeded' }),
    outcome,
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
  outcome: event.outcome as z.infer<typeof outcome>,
  reason: typeof event.details.reason === 'string' ? event.details.reason : null,
  session_id: event.sessionId,
  ip: event.ip,
  user_agent: event.userAgent,
  country: event.country,
  city: event.city,
  request_id: event.requestId,
});

const uuid = z.uuid('must be a UUID');
const instant = z.iso
  .datetime({ offset: true, error: 'must be a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z' })
  .transform((value) => new Date(value));

/** `limit`, `cursor`, and an {@link AuditFilter}. */
export const auditQuery = pageQuery
  .extend({
    user: uuid.optional().meta({ description: 'Whose account an event touches.' }),
    actor: uuid.optional().meta({ description: 'Who did it to somebody else’s account, or to none.' }),
    type: type.optional().meta({ description: 'What happened.', example: 'login.failed' }),
    ip: z
      .string()
      .max(64, 'must be at most 64 characters long')
      .transform((value, context) => {
        const network = canonicalNetwork(value);
        if (network === null) context.addIssue('must be an address, or a network such as 203.0.113.0/24');
        return network ?? z.NEVER;
      })
      .optional()
      .meta({ description: 'From which address, or from which network in CIDR notation.', example: '203.0.113.0/24' }),
    from: instant.optional().meta({ description: 'The first instant (RFC 3339).', example: '2026-01-01T00:00:00Z' }),
    to: instant
      .optional()
      .meta({ description: 'The first instant after the last (RFC 3339).', example: '2026-02-01T00:00:00Z' }),
    min_risk: z
      .string()
      .regex(/^(100|\d{1,2})(\.\d{1,6})?$/, 'must be a number from 0 to 100')
      .transform(Number)
      .refine((value) => value <= 100, 'must be a number from 0 to 100')
      .optional()
      .meta({ description: 'Events rated at least so risky, from 0 to 100.', example: '75' }),
  })
  .refine(({ from, to }) => !from || !to || from <= to, { path: ['to'], message: 'must not be before from' });
export type AuditQuery = z.infer<typeof auditQuery>;

/** All of a row. */
export const auditEvent = z
  .strictObject({
    id: z.uuid().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10' }),
    occurred_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
    type: type.meta({ example: 'user.changed' }),
    outcome,
    user_id: z.uuid().nullable().meta({ description: 'Whose account it touches.' }),
    actor_id: z.uuid().nullable().meta({ description: 'Who did it, where that is known.' }),
    session_id: z.uuid().nullable(),
    client_id: z
      .string()
      .nullable()
      .meta({ description: 'The service that it touches, or that did it.', example: null }),
    ip: z.string().nullable().meta({ example: '203.0.113.7' }),
    user_agent: z.string().nullable().meta({ example: 'Mozilla/5.0' }),
    country: z.string().nullable().meta({ example: 'DE' }),
    city: z.string().nullable().meta({ example: 'Berlin' }),
    asn: z.int().nullable().meta({ description: 'The number of the autonomous system.', example: 64500 }),
    risk: z.number().nullable().meta({ description: 'From 0 to 100; null where nobody rated it.', example: 12 }),
    risk_reasons: z.unknown().meta({ description: 'What made up the risk.', example: null }),
    request_id: z.string().nullable().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10' }),
    details: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What the type tells.', example: { roles: { from: ['user'], to: ['user', 'admin'] } } }),
  })
  .meta({ id: 'AuditEvent' });
export type AuditEventView = z.infer<typeof auditEvent>;

export const auditPage = page(auditEvent).meta({ id: 'AuditPage' });

export const toAuditEvent = (event: AuditEvent): AuditEventView => ({
  id: event.id,
  occurred_at: event.occurredAt.toISOString(),
  type: event.type,
  outcome: event.outcome as z.infer<typeof outcome>,
  user_id: event.userId,
  actor_id: event.actorId,
  session_id: event.sessionId,
  client_id: event.clientId,
  ip: event.ip,
  user_agent: event.userAgent,
  country: event.country,
  city: event.city,
  asn: event.asn,
  risk: event.risk,
  risk_reasons: event.riskReasons,
  request_id: event.requestId,
  details: event.details,
});

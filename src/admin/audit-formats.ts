import type { Request } from 'express';

import { type AuditEventView, auditEvent } from '../audit/audit.schemas.js';
import { csvLine } from '../common/csv.js';

/** How an export of the audit log is written: a head, then a line for each event. */
export interface AuditFormat {
  readonly name: 'csv' | 'ndjson';
  readonly mediaType: string;
  readonly head: string;
  readonly line: (event: AuditEventView) => string;
}

const COLUMNS = Object.keys(auditEvent.shape) as (keyof AuditEventView)[];

const toCell = (value: unknown): string | number | null =>
  value === null || typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value);

const FORMATS: Record<string, AuditFormat> = {
  'text/csv': {
    name: 'csv',
    mediaType: 'text/csv; charset=utf-8; header=present', // RFC 7111
    head: csvLine(COLUMNS),
    line: (event) => csvLine(COLUMNS.map((column) => toCell(event[column]))),
  },
  'application/x-ndjson': {
    name: 'ndjson',
    mediaType: 'application/x-ndjson; charset=utf-8',
    head: '',
    line: (event) => `${JSON.stringify(event)}\n`,
  },
};

const EXAMPLE = auditEvent.parse({
  id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10',
  occurred_at: '2026-01-31T12:00:00.000Z',
  type: 'login.succeeded',
  outcome: 'success',
  user_id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11',
  actor_id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a11',
  session_id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a12',
  client_id: null,
  ip: '203.0.113.7',
  user_agent: 'Mozilla/5.0',
  country: 'DE',
  city: 'Berlin',
  asn: 64500,
  risk: 12,
  risk_reasons: null,
  request_id: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a13',
  details: { amr: ['pwd'] },
} satisfies AuditEventView);

/** How the formats look, by media type. */
export const auditFormatExamples = Object.fromEntries(
  Object.entries(FORMATS).map(([type, { head, line }]) => [type, `${head}${line(EXAMPLE)}`]),
);

/** The format that a request prefers to JSON; null where it prefers none, or takes none of them. */
export function auditFormatOf(request: Request): AuditFormat | null {
  const preferred = request.accepts(['application/json', ...Object.keys(FORMATS)]);
  return preferred === false ? null : (FORMATS[preferred] ?? null);
}

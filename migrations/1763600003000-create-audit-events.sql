create table audit_events (
  id uuid not null, -- UUIDv7
  occurred_at timestamptz not null,
  type text not null, -- src/audit/audit-event-types.ts has them all
  outcome text not null check (outcome in ('success', 'failure', 'refused')),
  actor_id uuid, -- who did it
  user_id uuid, -- whose account it touches
  session_id uuid,
  client_id text,
  ip inet,
  user_agent text,
  request_id text,
  country text,
  city text,
  asn integer,
  risk real,
  risk_reasons jsonb,
  details jsonb not null default '{}',
  primary key (id, occurred_at)
) partition by range (occurred_at);

create index on audit_events (user_id, id);

-- Catches what no month holds, so that a late partition never stops a sign-in.
create table audit_events_default partition of audit_events default;

-- Makes this month's partition and those of the months ahead. Safe to call at any time, by many.
create function create_audit_partitions(months_ahead integer) returns void language plpgsql as $$
declare
  first_day date := date_trunc('month', now() at time zone 'UTC')::date;
  month date;
begin
  perform pg_advisory_xact_lock(hashtext('create_audit_partitions'));
  for step in 0 .. months_ahead loop
    month := first_day + make_interval(months => step);
    if to_regclass(format('audit_events_%s', to_char(month, 'YYYY_MM'))) is null then
      execute format(
        'create table %I partition of audit_events for values from (%L) to (%L)',
        'audit_events_' || to_char(month, 'YYYY_MM'),
        month::timestamp at time zone 'UTC',
        (month + interval '1 month') at time zone 'UTC');
      -- Statement triggers, unlike those for rows, are not taken over from the parent.
      execute format(
        'create trigger audit_events_no_truncate before truncate on %I for each statement execute function refuse_audit_change()',
        'audit_events_' || to_char(month, 'YYYY_MM'));
    end if;
  end loop;
end $$;

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit_events is append-only';
end $$;

create trigger audit_events_append_only before update or delete on audit_events
  for each row execute function refuse_audit_change();
create trigger audit_events_no_truncate before truncate on audit_events
  for each statement execute function refuse_audit_change();
create trigger audit_events_no_truncate before truncate on audit_events_default
  for each statement execute function refuse_audit_change();

select create_audit_partitions(3);

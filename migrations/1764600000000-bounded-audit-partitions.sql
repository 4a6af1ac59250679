-- The service's role may call this, so it makes a year at most: PostgreSQL locks every partition that a search looks into, and
-- thousands of them are more than its lock table holds. A month whose rows the default partition holds already, since nobody made it in
-- time, stays there, and the months after it come all the same.
create or replace function create_audit_partitions(months_ahead integer) returns void language plpgsql security definer as $$
declare
  first_day date := date_trunc('month', now() at time zone 'UTC')::date;
  month date;
begin
  if months_ahead not between 0 and 12 then
    raise exception 'months_ahead must be 0 to 12';
  end if;
  perform pg_advisory_xact_lock(hashtext('create_audit_partitions'));
  for step in 0 .. months_ahead loop
    month := first_day + make_interval(months => step);
    if to_regclass(format('audit_events_%s', to_char(month, 'YYYY_MM'))) is null then
      begin
        execute format(
          'create table %I partition of audit_events for values from (%L) to (%L)',
          'audit_events_' || to_char(month, 'YYYY_MM'),
          month::timestamp at time zone 'UTC',
          (month + interval '1 month') at time zone 'UTC');
        -- Statement triggers, unlike those for rows, are not taken over from the parent.
        execute format(
          'create trigger audit_events_no_truncate before truncate on %I for each statement execute function refuse_audit_change()',
          'audit_events_' || to_char(month, 'YYYY_MM'));
      exception when check_violation then
        raise warning 'the default partition of audit_events holds rows of %: it keeps that month', to_char(month, 'YYYY-MM');
      end;
    end if;
  end loop;
end $$;

-- As before: the rights of the owner, and `pg_temp` last.
do $$
begin
  execute format('alter function create_audit_partitions(integer) set search_path = %I, pg_temp', current_schema());
end $$;

-- The service's role may not create tables: this makes the partitions with the rights of whoever owns the schema, and of
-- nothing else. `pg_temp` comes last, so that no temporary object of the caller stands in for one of ours.
do $$
begin
  execute format('alter function create_audit_partitions(integer) security definer set search_path = %I, pg_temp', current_schema());
end $$;
revoke execute on function create_audit_partitions(integer) from public;

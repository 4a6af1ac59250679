-- The audit log is searched newest first. Each index ends in the id, whose order is the order of time, so that the
-- first page of a filter is read off its end, in every partition, however many rows match.
create index on audit_events (type, id);
create index on audit_events (ip, id);
-- What somebody did to others: the rest is found by whose account it touches.
create index on audit_events (actor_id, id) where actor_id is distinct from user_id;
-- Few rows are risky, and rows that nobody has rated cost nothing here.
create index on audit_events (risk, id) where risk is not null;

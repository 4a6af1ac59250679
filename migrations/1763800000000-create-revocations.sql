-- What was revoked within the life of the longest access token: what verifiers are told (docs/adr/0008).
-- `position` is the writing transaction's number. Readers go on from the oldest transaction that was still
-- open when they looked, so that one which commits late is never skipped.
create function current_transaction_number() returns bigint language sql volatile as
  $$ select pg_current_xact_id()::text::bigint $$;

create table revocations (
  id uuid primary key,
  position bigint not null default current_transaction_number(),
  kind text not null check (kind in ('token', 'session', 'user', 'client', 'key')),
  subject text not null, -- jti, sid, sub, client_id or kid
  issued_before timestamptz, -- tokens with an earlier iat are refused; null: all
  reason text not null,
  revoked_at timestamptz not null,
  expires_at timestamptz not null -- then no token is left that it could refuse
);

create index on revocations (position);
create index on revocations (expires_at);

-- A user's tokens from before count no more. A session carries its user's cut-off, so that a refresh
-- which read the user before a cut-off meets a changed session, and looks again.
alter table users
  add column cut_off_at timestamptz, -- the instant of the last one
  add column tokens_valid_from timestamptz; -- the earliest iat that counts: a whole second
alter table sessions add column tokens_valid_from timestamptz;

-- What is over is found by the janitor, what is live by its user.
create index on sessions (ended_at) where ended_at is not null;
create index sessions_live_user_id_idx on sessions (user_id, id) where ended_at is null;

-- Volatile, so that it counts what others committed while the caller waited for a lock.
create function count_live_sessions(of_user uuid, at_time timestamptz) returns bigint language plpgsql volatile as $$
begin
  return (
    select count(*) from sessions
     where user_id = of_user and ended_at is null and expires_at > at_time and idle_expires_at > at_time);
end $$;

-- A sign-in is counted in the statement that reads its account, so the keys of the counters are made
-- here: of the subject (an account's id, or the HMAC of a name that nobody has) and the place (an HMAC).
delete from login_counters; -- their keys were made otherwise

drop function count_login_attempt(
  bytea, bytea, bytea, timestamptz, integer, integer, interval, interval, interval, interval
);

-- Counts one attempt before the password is looked at. Whoever comes at once queues at the row, so
-- exactly `max_attempts` pass, however many ask. The one that reaches it sets the lock and may still
-- prove itself; a success removes the rows. Each lock in a row is twice as long as the one before.
-- After `streak_limit` failures in a row, one attempt a lock is left (NIST SP 800-63B, 3.2.2): in a row
-- at all networks together, but at a place that is the subject's own at that place alone.
create function count_login_attempt(
  attempt_subject bytea, attempt_place bytea, place_is_own boolean, attempt_time timestamptz,
  max_attempts integer, streak_limit integer,
  first_lock interval, longest_lock interval, place_memory interval, streak_memory interval,
  out allowed boolean, out locks_now boolean, out lock_ends_at timestamptz,
  out place_key bytea, out streak_key bytea, out shared_key bytea
) language plpgsql as $$
declare
  place login_counters;
  streak integer;
begin
  place_key := sha256(attempt_subject || attempt_place);
  shared_key := sha256(attempt_subject || 'everywhere'::bytea);
  streak_key := case when place_is_own then sha256(attempt_subject || attempt_place || 'streak'::bytea) else shared_key end;

  -- A new row, or the lock of the one that is there.
  insert into login_counters as c (key, subject, attempts, locks, expires_at)
  values (place_key, attempt_subject, 0, 0, attempt_time + place_memory)
  on conflict (key) do update set subject = excluded.subject
  returning c.* into place;

  if place.expires_at <= attempt_time then
    place.attempts := 0;
    place.locks := 0;
    place.locked_until := null;
  elsif place.locked_until <= attempt_time then
    place.attempts := 0;
    place.locked_until := null;
  end if;

  allowed := place.locked_until is null;
  locks_now := false;
  if allowed then
    insert into login_counters as c (key, subject, attempts, locks, expires_at)
    values (streak_key, attempt_subject, 1, 0, attempt_time + streak_memory)
    on conflict (key) do update
       set attempts = case when c.expires_at <= attempt_time then 1 else c.attempts + 1 end,
           expires_at = excluded.expires_at
    returning c.attempts into streak;

    place.attempts := place.attempts + 1;
    if place.attempts >= max_attempts or streak > streak_limit then
      locks_now := true;
      place.locked_until := attempt_time + least(longest_lock, first_lock * power(2, least(place.locks, 16)));
      place.locks := place.locks + 1;
    end if;
    place.expires_at := coalesce(place.locked_until, attempt_time) + place_memory;
    update login_counters c
       set attempts = place.attempts, locks = place.locks, locked_until = place.locked_until, expires_at = place.expires_at
     where c.key = place_key;
  end if;
  lock_ends_at := place.locked_until;
end $$;

-- An account whose owner deleted it goes at this time, unless they sign in before.
alter table users add delete_at timestamptz;
create index on users (delete_at) where delete_at is not null;

-- What the service last started with, in one row: commands that write signing keys are held to it.
create table last_start (
  id smallint primary key default 1 check (id = 1),
  master_secret_id text not null, -- of a key derived from MASTER_SECRET: tells two apart, and leads back to neither
  access_token_seconds integer not null
);

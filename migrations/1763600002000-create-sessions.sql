-- One row a session, one live refresh token a row: docs/adr/0001.
-- The counter moves on every refresh, and no index holds it: a heap-only update.
create table sessions (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  salt_hash bytea not null, -- SHA-256 of the salt that only the refresh token carries
  counter integer not null default 0, -- the number of the live refresh token
  parent_counter integer, -- the token it came from; what lies between was skipped
  parent_spent_at timestamptz, -- when that parent was first spent
  rotated_at timestamptz, -- when the live token was made
  auth_time timestamptz not null, -- when the user last proved who they are
  amr text[] not null, -- RFC 8176
  device_id text, -- as a client named itself
  device_key uuid, -- as our device cookie names the browser
  ip inet not null,
  user_agent text,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  idle_expires_at timestamptz not null,
  expires_at timestamptz not null, -- absolute
  ended_at timestamptz,
  end_reason text
) with (fillfactor = 80);

create index on sessions (user_id);
create index on sessions (expires_at);

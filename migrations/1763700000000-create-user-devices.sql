-- A browser that signed in before as this user. Its signed cookie names it; a row here makes it known.
create table user_devices (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  device_key uuid not null, -- as the `device` cookie names the browser
  user_agent text,
  ip inet not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  unique (user_id, device_key)
);

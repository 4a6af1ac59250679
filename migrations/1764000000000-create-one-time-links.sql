-- A link that lets somebody choose a password: an invitation, or a reset. It works once; the table holds its hash alone.
create table one_time_links (
  token_hash bytea primary key, -- SHA-256 of 256 random bits
  user_id uuid not null references users (id) on delete cascade,
  purpose text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index on one_time_links (user_id);
create index on one_time_links (expires_at);

-- Administrators look people up by how a name begins.
create index on users (username_canonical text_pattern_ops);
create index on users (email_canonical text_pattern_ops);
create index on users using gin (roles);

create table roles (
  name text primary key,
  permissions text[] not null default '{}',
  built_in boolean not null default false,
  created_at timestamptz not null default now()
);

insert into roles (name, permissions, built_in) values
  ('user', '{}', true),
  ('admin', '{users:read,users:write,sessions:read,sessions:write,roles:read,roles:write,clients:read,clients:write,audit:read,audit:export,stats:read}', true);

-- Services that authenticate as themselves (RFC 6749, section 2).
create table clients (
  id uuid primary key,
  name text not null unique,
  created_at timestamptz not null,
  disabled_at timestamptz
);
-- Several at once, so that one can be replaced while it is in use.
create table client_secrets (
  id uuid primary key,
  client_id uuid not null references clients (id) on delete cascade,
  secret_hash bytea not null, -- SHA-256 of 256 random bits
  created_at timestamptz not null,
  expires_at timestamptz
);

create index on client_secrets (client_id);

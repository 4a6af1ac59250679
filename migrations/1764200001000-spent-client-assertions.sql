-- Assertions that authenticated a client (RFC 7523, section 3: each jti once), until they would have expired.
-- No foreign key: clients are never deleted, and its check would lock the client's row at each authentication.
create table spent_assertions (
  client_id uuid not null,
  jti_hash bytea not null, -- SHA-256
  expires_at timestamptz not null,
  primary key (client_id, jti_hash)
);

create index on spent_assertions (expires_at);

-- What a service may get tokens for (RFC 6749, section 4.4), and whose tokens it may ask about (RFC 7662).
-- Clients of before get none until they are given an audience.
alter table clients
  add column scopes text[] not null default '{}',
  add column audiences text[] not null default '{}', -- that it may ask for; the first one where it asks for none
  add column served_audiences text[], -- it is the resource server of these; null: JWT_AUDIENCE
  add column jwks jsonb, -- public keys for private_key_jwt (RFC 7523)
  add column tokens_valid_from timestamptz; -- the earliest iat that counts: a whole second

-- Keys that sign access tokens, besides those of the settings. A row outlives its key, so that no kid comes back.
create table signing_keys (
  kid text primary key,
  algorithm text not null,
  audience text, -- the one that it serves alone; null: any
  key_id text, -- of the key that it is sealed with
  sealed bytea, -- the private or shared JWK, AES-256-GCM: nonce, ciphertext, tag; null: destroyed, or a key of the settings
  created_at timestamptz not null, -- published from then on
  active_from timestamptz, -- may sign from then on: of several, the one that came last does
  retired_at timestamptz,
  verifies_until timestamptz, -- of a retired one: the end of the longest token that it may have signed
  compromised_at timestamptz, -- what it signed counts no more
  check ((key_id is null) = (sealed is null)),
  check ((retired_at is null) = (verifies_until is null)),
  check (compromised_at is null or retired_at is not null)
);

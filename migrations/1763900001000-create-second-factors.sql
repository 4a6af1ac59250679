-- What a user proves besides the password. `users.second_factors` says which ways there are, so that a
-- sign-in and a refresh know it without another look; `refresh_second_factors` keeps it true.
alter table users add second_factors text[] not null default '{}';
alter table user_devices add remembered_until timestamptz; -- skips the second step until then

create table totp_authenticators (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  name text not null,
  key_id text not null, -- of the key that the seed is encrypted with
  seed bytea not null, -- AES-256-GCM: nonce, ciphertext, tag; the user's id is authenticated with it
  last_step bigint not null default 0, -- the last time step that was accepted: none up to it counts again
  confirmed_at timestamptz, -- null: set up, but not in use yet
  last_used_at timestamptz,
  created_at timestamptz not null
);
create index on totp_authenticators (user_id);
create unique index totp_authenticators_unconfirmed_key on totp_authenticators (user_id) where confirmed_at is null;

create table recovery_codes (
  user_id uuid not null references users (id) on delete cascade,
  code_hash bytea not null, -- HMAC under a derived key, with the user's id
  created_at timestamptz not null,
  used_at timestamptz,
  primary key (user_id, code_hash)
);

create table passkeys (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  credential_id bytea not null unique,
  public_key bytea not null, -- COSE
  sign_count bigint not null,
  transports text[] not null,
  aaguid uuid not null,
  backup_eligible boolean not null,
  backed_up boolean not null,
  name text not null,
  last_used_at timestamptz,
  created_at timestamptz not null
);
create index on passkeys (user_id);

-- A sign-in whose password was right, and whose second step is to come. The half-way token names it.
create table half_way_sign_ins (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  purpose text not null, -- verify: prove a second factor; enroll: set one up first
  binding bytea not null, -- of the browser that began
  device_key uuid, -- of a browser that the user is known by
  device_id text, -- as a client without cookies named its device
  amr text[] not null,
  password_changed_at timestamptz not null, -- of the password that was proven
  attempts integer not null default 0,
  spent_at timestamptz,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index on half_way_sign_ins (user_id);
create index on half_way_sign_ins (expires_at);

-- Challenges are signed, not stored; one that was answered stands here until it would have expired.
create table spent_challenges (
  challenge_hash bytea primary key,
  expires_at timestamptz not null
);
create index on spent_challenges (expires_at);

create function refresh_second_factors(of_user uuid) returns text[] language plpgsql as $$
declare
  found text[];
begin
  -- The row first: of two changes at once the later one sees what the earlier one did.
  perform from users where id = of_user for no key update;
  found := array(
    select 'passkey' where exists (select from passkeys where user_id = of_user)
    union all
    select 'totp' where exists (select from totp_authenticators where user_id = of_user and confirmed_at is not null)
  );
  if found <> '{}' and exists (select from recovery_codes where user_id = of_user and used_at is null) then
    found := found || 'recovery_code'::text;
  end if;
  update users set second_factors = found where id = of_user and second_factors <> found;
  return found;
end $$;

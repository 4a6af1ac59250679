create table users (
  id uuid primary key,
  username text not null,
  username_canonical text not null unique, -- NFKC, case-folded: one account a form
  email text not null,
  email_canonical text not null unique,
  email_verified_at timestamptz,
  password_hash text not null, -- PHC string
  password_changed_at timestamptz not null,
  roles text[] not null default '{user}',
  is_active boolean not null default true,
  must_change_password boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- How far the import of a file is, so that one that was killed goes on. It holds nothing of the file itself.
create table user_imports (
  id uuid primary key,
  import_key bytea not null unique, -- SHA-256 of the file's own and of what decides how it is read
  file_sha256 bytea not null,
  format text not null,
  position integer not null default 0, -- records of the file that are done with
  imported integer not null default 0,
  refused integer not null default 0, -- of those up to position
  started_at timestamptz not null,
  finished_at timestamptz
);

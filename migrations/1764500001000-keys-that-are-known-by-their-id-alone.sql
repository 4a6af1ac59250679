-- A leaked key that was taken out of the settings first: a row remembers its id, and nobody knows the rest.
alter table signing_keys alter column algorithm drop not null;

-- What other services need to know of a user, such as their organisation: access tokens carry those that the settings list.
alter table users add attributes jsonb not null default '{}';

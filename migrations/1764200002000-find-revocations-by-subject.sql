-- Whether one token was revoked is asked at each introspection of a service's token.
create index on revocations (subject);

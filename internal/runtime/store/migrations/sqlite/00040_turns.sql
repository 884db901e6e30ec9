-- +goose Up
-- What only one replica may do at once, and which replicas live (the names that begin with replica/). A lease that has
-- run out belongs to nobody.
CREATE TABLE leases (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

-- An answer that is being said: who says it, to which message at which epoch, and what customers may have seen of it.
-- It is written only by who holds the conversation's lock.
CREATE TABLE turns (
    conversation TEXT PRIMARY KEY REFERENCES conversations (id),
    replica      TEXT NOT NULL,
    attempt      INTEGER NOT NULL,
    epoch        INTEGER NOT NULL,
    answer_to    INTEGER NOT NULL,
    body         TEXT NOT NULL
) STRICT;

-- +goose Down
DROP TABLE turns;
DROP TABLE leases;

-- +goose Up
-- What only one replica may do at once, and which replicas live (the names that begin with replica/). A lease that has
-- run out belongs to nobody.
CREATE TABLE leases (
    name   TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    until  BIGINT NOT NULL
);

-- An answer that is being said: who says it, to which message at which epoch, and what customers may have seen of it.
-- It is written only by who holds the conversation's lock.
CREATE TABLE turns (
    conversation TEXT COLLATE "C" PRIMARY KEY REFERENCES conversations (id),
    replica      TEXT COLLATE "C" NOT NULL,
    attempt      BIGINT NOT NULL,
    epoch        BIGINT NOT NULL,
    answer_to    BIGINT NOT NULL,
    body         TEXT NOT NULL
);

-- +goose Down
DROP TABLE turns;
DROP TABLE leases;

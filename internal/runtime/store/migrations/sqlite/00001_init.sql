-- Times are nanoseconds since 1970 in UTC. A column exists beside a JSON body only where something is looked up by it,
-- and is written from the same value in the same statement.

-- +goose Up
CREATE TABLE conversations (
    id            TEXT PRIMARY KEY,
    token_hash    BLOB NOT NULL,
    -- seq, epoch and owner are what the next change must follow.
    seq           INTEGER NOT NULL,
    epoch         INTEGER NOT NULL,
    owner_kind    TEXT NOT NULL,
    owner_id      TEXT NOT NULL,
    -- The agent whose capacity the conversation takes, as owner or by an open offer, and how much of it.
    holder        TEXT,
    units         INTEGER NOT NULL,
    -- The customer's message that the AI owes an answer.
    pending       INTEGER,
    waiting_since INTEGER NOT NULL,
    -- Set while an offer is open.
    offer_expires INTEGER,
    body          TEXT NOT NULL
) STRICT;
CREATE INDEX conversations_waiting ON conversations (waiting_since, id)
    WHERE owner_kind = 'Queue' AND offer_expires IS NULL;
CREATE INDEX conversations_offered ON conversations (offer_expires, id) WHERE offer_expires IS NOT NULL;
CREATE INDEX conversations_holder ON conversations (holder, units) WHERE holder IS NOT NULL;
CREATE INDEX conversations_owing ON conversations (id) WHERE pending IS NOT NULL;

CREATE TABLE events (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    seq          INTEGER NOT NULL,
    author_kind  TEXT NOT NULL,
    client_id    TEXT,
    body         TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX events_client ON events (conversation, author_kind, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE agents (
    email      TEXT PRIMARY KEY,
    state      TEXT,
    until      INTEGER,
    idle_since INTEGER
) STRICT;

CREATE TABLE codes (
    hash    BLOB PRIMARY KEY,
    email   TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    name TEXT PRIMARY KEY,
    key  BLOB NOT NULL
) STRICT;

-- One row that Ping writes, to know that the disk takes a commit.
CREATE TABLE pings (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n  INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE pings;
DROP TABLE keys;
DROP TABLE codes;
DROP TABLE agents;
DROP TABLE events;
DROP TABLE conversations;

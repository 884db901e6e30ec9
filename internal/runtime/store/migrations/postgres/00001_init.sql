-- The tables are those of SQLite, with the same values: times are nanoseconds since 1970 in UTC. Text is compared byte
-- by byte, as SQLite does. A body is TEXT: JSONB refuses the character U+0000, which a customer may send.
-- The schema is the connection's search_path.

-- +goose Up
CREATE TABLE conversations (
    id            TEXT COLLATE "C" PRIMARY KEY,
    token_hash    BYTEA NOT NULL,
    -- seq, epoch and owner are what the next change must follow.
    seq           BIGINT NOT NULL,
    epoch         BIGINT NOT NULL,
    owner_kind    TEXT COLLATE "C" NOT NULL,
    owner_id      TEXT COLLATE "C" NOT NULL,
    -- The agent whose capacity the conversation takes, as owner or by an open offer, and how much of it.
    holder        TEXT COLLATE "C",
    units         BIGINT NOT NULL,
    -- The customer's message that the AI owes an answer.
    pending       BIGINT,
    waiting_since BIGINT NOT NULL,
    -- Set while an offer is open.
    offer_expires BIGINT,
    body          TEXT NOT NULL
);
CREATE INDEX conversations_waiting ON conversations (waiting_since, id)
    WHERE owner_kind = 'Queue' AND offer_expires IS NULL;
CREATE INDEX conversations_offered ON conversations (offer_expires, id) WHERE offer_expires IS NOT NULL;
CREATE INDEX conversations_holder ON conversations (holder) WHERE holder IS NOT NULL;
CREATE INDEX conversations_owing ON conversations (id) WHERE pending IS NOT NULL;

CREATE TABLE events (
    conversation TEXT COLLATE "C" NOT NULL REFERENCES conversations (id),
    seq          BIGINT NOT NULL,
    author_kind  TEXT COLLATE "C" NOT NULL,
    client_id    TEXT COLLATE "C",
    body         TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)
);
CREATE UNIQUE INDEX events_client ON events (conversation, author_kind, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE agents (
    email      TEXT COLLATE "C" PRIMARY KEY,
    state      TEXT COLLATE "C",
    until      BIGINT,
    idle_since BIGINT,
    -- What the agent holds: the sum of units over the conversations whose holder they are, written with those.
    units      BIGINT NOT NULL DEFAULT 0
);

-- A deadline belongs to a conversation or to an agent, and is written only by who holds that one's lock.
CREATE TABLE deadlines (
    kind         TEXT COLLATE "C" NOT NULL,
    conversation TEXT COLLATE "C" REFERENCES conversations (id),
    agent        TEXT COLLATE "C" REFERENCES agents (email),
    due          BIGINT NOT NULL,
    CHECK ((conversation IS NULL) <> (agent IS NULL))
);
CREATE UNIQUE INDEX deadlines_conversation ON deadlines (conversation, kind);
CREATE UNIQUE INDEX deadlines_agent ON deadlines (agent, kind);
CREATE INDEX deadlines_due ON deadlines (due);

CREATE TABLE codes (
    hash    BYTEA PRIMARY KEY,
    email   TEXT COLLATE "C" NOT NULL,
    expires BIGINT NOT NULL
);

CREATE TABLE keys (
    name TEXT COLLATE "C" PRIMARY KEY,
    key  BYTEA NOT NULL
);

-- One row that Ping writes, to know that the database takes a commit.
CREATE TABLE pings (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    n  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE pings;
DROP TABLE keys;
DROP TABLE codes;
DROP TABLE deadlines;
DROP TABLE agents;
DROP TABLE events;
DROP TABLE conversations;

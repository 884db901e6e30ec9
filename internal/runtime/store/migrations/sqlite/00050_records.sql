-- +goose Up
-- What has to be done outside, written in the transaction that causes it, in order of seq for each conversation and
-- destination. due is set on the row that comes next of these, and on no other that waits: when it may be tried.
-- A delivered row keeps its place and loses its payload.
CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL REFERENCES conversations (id),
    destination  TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    key          TEXT NOT NULL,
    payload      TEXT NOT NULL,
    -- pending, delivered or dead.
    state        TEXT NOT NULL,
    created      INTEGER NOT NULL,
    -- Since when it is tried: created, or when it was replayed.
    since        INTEGER NOT NULL,
    due          INTEGER,
    attempts     INTEGER NOT NULL DEFAULT 0,
    error        TEXT NOT NULL DEFAULT '',
    -- The id of what it became there.
    remote       TEXT,
    ended        INTEGER
) STRICT;
CREATE UNIQUE INDEX outbox_stream ON outbox (conversation, destination, seq);
CREATE UNIQUE INDEX outbox_key ON outbox (key);
CREATE INDEX outbox_due ON outbox (destination, due) WHERE due IS NOT NULL;
CREATE INDEX outbox_pending ON outbox (conversation, destination, seq) WHERE state = 'pending';
CREATE INDEX outbox_open ON outbox (destination, state, created) WHERE state <> 'delivered';
CREATE INDEX outbox_remote ON outbox (destination, remote) WHERE remote IS NOT NULL;

-- What agents and supervisors did. Rows are only ever added.
CREATE TABLE audit_trail (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    action       TEXT NOT NULL,
    conversation TEXT NOT NULL DEFAULT '',
    -- The event of the conversation's log, or 0.
    seq          INTEGER NOT NULL DEFAULT 0,
    subject      TEXT NOT NULL DEFAULT '',
    detail       TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX audit_trail_actor ON audit_trail (actor, id);
CREATE INDEX audit_trail_conversation ON audit_trail (conversation, id) WHERE conversation <> '';

-- What presence agents had, one row for each change of it.
CREATE TABLE presence_log (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL,
    at    INTEGER NOT NULL,
    state TEXT NOT NULL,
    until INTEGER
) STRICT;
CREATE INDEX presence_log_at ON presence_log (at);

-- The handoffs by time: what happened in one is in the conversation's log. ended is set when no human has it any more.
CREATE TABLE handoffs (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    number       INTEGER NOT NULL,
    began        INTEGER NOT NULL,
    ended        INTEGER,
    PRIMARY KEY (conversation, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX handoffs_began ON handoffs (began);
CREATE INDEX handoffs_ended ON handoffs (ended);

ALTER TABLE conversations ADD COLUMN closed_at INTEGER;
ALTER TABLE conversations ADD COLUMN email TEXT;
ALTER TABLE conversations ADD COLUMN contact TEXT;
CREATE INDEX conversations_closed ON conversations (closed_at, id) WHERE closed_at IS NOT NULL;
CREATE INDEX conversations_email ON conversations (email) WHERE email IS NOT NULL;
CREATE INDEX conversations_contact ON conversations (contact) WHERE contact IS NOT NULL;

-- +goose Down
DROP INDEX conversations_contact;
DROP INDEX conversations_email;
DROP INDEX conversations_closed;
ALTER TABLE conversations DROP COLUMN contact;
ALTER TABLE conversations DROP COLUMN email;
ALTER TABLE conversations DROP COLUMN closed_at;
DROP TABLE handoffs;
DROP TABLE presence_log;
DROP TABLE audit_trail;
DROP TABLE outbox;

-- +goose Up
-- What the agent holds: the sum of units over the conversations whose holder they are, written with those.
ALTER TABLE agents ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
INSERT INTO agents (email, units)
    SELECT holder, sum(units) FROM conversations WHERE holder IS NOT NULL GROUP BY holder
    ON CONFLICT (email) DO UPDATE SET units = excluded.units;

-- A deadline belongs to a conversation or to an agent, and is written only by who holds that one's lock.
CREATE TABLE deadlines (
    kind         TEXT NOT NULL,
    conversation TEXT REFERENCES conversations (id),
    agent        TEXT REFERENCES agents (email),
    due          INTEGER NOT NULL,
    CHECK ((conversation IS NULL) <> (agent IS NULL))
) STRICT;
CREATE UNIQUE INDEX deadlines_conversation ON deadlines (conversation, kind);
CREATE UNIQUE INDEX deadlines_agent ON deadlines (agent, kind);
CREATE INDEX deadlines_due ON deadlines (due);
INSERT INTO deadlines (kind, conversation, due)
    SELECT 'offer', id, offer_expires FROM conversations WHERE offer_expires IS NOT NULL;

-- +goose Down
DROP TABLE deadlines;
ALTER TABLE agents DROP COLUMN units;

-- +goose Up
-- The wrap-ups that go on: an agent's own, whoever has the conversation meanwhile. Their units count in agents.units.
CREATE TABLE wrap_ups (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    email        TEXT NOT NULL,
    name         TEXT NOT NULL,
    pool         TEXT NOT NULL,
    channel_type TEXT NOT NULL,
    units        INTEGER NOT NULL,
    since        INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    PRIMARY KEY (conversation, email)
) STRICT, WITHOUT ROWID;
CREATE INDEX wrap_ups_email ON wrap_ups (email);

-- No release wrote a wrap-up before this migration, so no test upgrades one: what follows is for stores of builds in
-- between. There the conversation held them as long as nobody else had it. How long it took before the wrap-up is not in
-- a column: without a pool it counts for no estimate.
INSERT INTO wrap_ups (conversation, email, name, pool, channel_type, units, since, until)
    SELECT c.id, c.holder, '', '', '', c.units, coalesce(d.due, 0), coalesce(d.due, 0)
    FROM conversations c LEFT JOIN deadlines d ON d.conversation = c.id AND d.kind = 'wrapup'
    WHERE c.holder IS NOT NULL AND c.owner_kind <> 'Agent' AND c.offer_expires IS NULL;
INSERT INTO deadlines (kind, conversation, due)
    SELECT 'wrapup', conversation, until FROM wrap_ups WHERE true
    ON CONFLICT (conversation, kind) DO NOTHING;
UPDATE conversations SET holder = NULL, units = 0
    WHERE holder IS NOT NULL AND owner_kind <> 'Agent' AND offer_expires IS NULL;

-- +goose Down
DROP TABLE wrap_ups;

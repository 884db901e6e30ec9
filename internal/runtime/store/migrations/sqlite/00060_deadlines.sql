-- +goose Up
-- What waited and who was there before these deadlines existed is looked at at once, which sets them.
INSERT INTO deadlines (kind, conversation, due)
    SELECT 'unavailable', id, 0 FROM conversations WHERE owner_kind = 'Queue'
    ON CONFLICT (conversation, kind) DO NOTHING;
INSERT INTO deadlines (kind, agent, due)
    SELECT 'presence', email, 0 FROM agents WHERE state IN ('online', 'busy', 'away')
    ON CONFLICT (agent, kind) DO NOTHING;

-- +goose Down

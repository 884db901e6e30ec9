-- +goose Up
-- The newest routing table that a replica works by, in one row: whoever works by an older one offers nothing.
CREATE TABLE table_seen (created BIGINT NOT NULL, generation BIGINT NOT NULL, revision TEXT NOT NULL);
INSERT INTO table_seen (created, generation, revision) VALUES (0, 0, '');

-- +goose Down
DROP TABLE table_seen;

-- +goose Up
-- Why an agent is in their state and since when, and the offers they let pass one after the other.
ALTER TABLE agents ADD COLUMN reason TEXT COLLATE "C";
ALTER TABLE agents ADD COLUMN since BIGINT;
ALTER TABLE agents ADD COLUMN missed BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE agents DROP COLUMN missed;
ALTER TABLE agents DROP COLUMN since;
ALTER TABLE agents DROP COLUMN reason;

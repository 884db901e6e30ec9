-- +goose Up
-- When the agent was last offered or took over a conversation.
ALTER TABLE agents ADD COLUMN assigned_at BIGINT;

-- +goose Down
ALTER TABLE agents DROP COLUMN assigned_at;

-- +goose Up
-- The sequence number up to which all that is derived from a conversation and its log is written: the columns beside its
-- body, and its rows in handoffs and audit_trail. A release that does not know the column leaves it behind, and Tx.CatchUp
-- does what is missing. So a migration that adds something to derive sets it to NULL, and reads no body: functions of
-- PostgreSQL refuse the character U+0000, which JSON may hold.
ALTER TABLE conversations ADD COLUMN derived BIGINT;
CREATE INDEX conversations_behind ON conversations (id) WHERE derived IS DISTINCT FROM seq;

-- +goose Down
DROP INDEX conversations_behind;
ALTER TABLE conversations DROP COLUMN derived;

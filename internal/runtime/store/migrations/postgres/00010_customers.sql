-- +goose Up
-- Who the customer says they are, to find their conversations by, and the conversation that goes on for a merged one.
ALTER TABLE conversations ADD COLUMN customer TEXT COLLATE "C";
ALTER TABLE conversations ADD COLUMN merged_into TEXT COLLATE "C";
CREATE INDEX conversations_customer ON conversations (customer) WHERE customer IS NOT NULL;
CREATE INDEX conversations_merged_into ON conversations (merged_into, id) WHERE merged_into IS NOT NULL;

-- +goose Down
DROP INDEX conversations_merged_into;
DROP INDEX conversations_customer;
ALTER TABLE conversations DROP COLUMN merged_into;
ALTER TABLE conversations DROP COLUMN customer;

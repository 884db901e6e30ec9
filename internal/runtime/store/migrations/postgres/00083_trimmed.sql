-- +goose Up
-- Up to when what was kept in a table may be gone: what ended before that time, or was written before it. A replica that
-- removes something holds the row's lock.
CREATE TABLE trimmed (
    what   TEXT COLLATE "C" PRIMARY KEY,
    before BIGINT NOT NULL
);
INSERT INTO trimmed (what, before) VALUES ('outbox', 0), ('audit_trail', 0), ('presence_log', 0), ('handoffs', 0);
CREATE INDEX outbox_delivered ON outbox (ended, id) WHERE state = 'delivered';
CREATE INDEX presence_log_email ON presence_log (email, id);

-- +goose Down
DROP INDEX presence_log_email;
DROP INDEX outbox_delivered;
DROP TABLE trimmed;

-- +goose Up
-- How long a conversation took the capacity of an agent: one row each time that it was given free.
CREATE TABLE handled (
    pool         TEXT NOT NULL,
    channel_type TEXT NOT NULL,
    ended        INTEGER NOT NULL,
    took         INTEGER NOT NULL
) STRICT;
CREATE INDEX handled_newest ON handled (pool, channel_type, ended);

-- +goose Down
DROP TABLE handled;

-- +goose Up
-- How long a conversation took the capacity of an agent: one row each time that it was given free.
CREATE TABLE handled (
    pool         TEXT COLLATE "C" NOT NULL,
    channel_type TEXT COLLATE "C" NOT NULL,
    ended        BIGINT NOT NULL,
    took         BIGINT NOT NULL
);
CREATE INDEX handled_newest ON handled (pool, channel_type, ended);

-- +goose Down
DROP TABLE handled;

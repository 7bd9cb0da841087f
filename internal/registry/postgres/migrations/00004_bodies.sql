-- +goose Up

-- Data of large events, sealed as histories are.
CREATE TABLE bodies (
    tenant     text COLLATE "C" NOT NULL,
    event_id   text COLLATE "C" NOT NULL,
    digest     text COLLATE "C" NOT NULL, -- SHA-256 of the data, in hex
    created_at bigint           NOT NULL, -- microseconds since 1970
    sealed     bytea            NOT NULL,
    PRIMARY KEY (tenant, event_id, digest)
);
ALTER TABLE bodies ALTER COLUMN sealed SET STORAGE EXTERNAL; -- what is encrypted cannot be packed

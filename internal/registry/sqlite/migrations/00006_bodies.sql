-- +goose Up

-- Data of large events, sealed as histories are. Not WITHOUT ROWID: a row is up to 25 MiB.
CREATE TABLE bodies (
    tenant     TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    digest     TEXT    NOT NULL, -- SHA-256 of the data, in hex
    created_at INTEGER NOT NULL, -- microseconds since 1970
    sealed     BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX bodies_by_event ON bodies (tenant, event_id, digest);

-- +goose Up

-- Items of sources, by a hash of what makes them the same when they come again. One that is known by its
-- content alone is noted before it becomes an event, the others afterwards.
CREATE TABLE arrivals (
    source_id  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    first_at   INTEGER NOT NULL, -- microseconds since 1970
    taken      INTEGER NOT NULL, -- it has become an event
    expires_at INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (source_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX arrivals_by_end ON arrivals (expires_at);
CREATE INDEX arrivals_by_age ON arrivals (source_id, first_at);

-- What became of what a source sent.
CREATE TABLE source_activity (
    source_id        TEXT    NOT NULL PRIMARY KEY,
    accepted         INTEGER NOT NULL,
    repeats          INTEGER NOT NULL,
    refused          INTEGER NOT NULL,
    last_accepted_at INTEGER NOT NULL, -- microseconds since 1970, 0 for never
    last_refused_at  INTEGER NOT NULL, -- likewise
    last_refusal     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

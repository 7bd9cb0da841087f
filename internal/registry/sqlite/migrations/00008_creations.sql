-- +goose Up

-- What was made with an Idempotency-Key, so that a repeat makes nothing.
CREATE TABLE creations (
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL, -- a hash of what is made and the key
    digest     TEXT    NOT NULL, -- of the body, keyed with the key
    id         TEXT    NOT NULL, -- of the endpoint or source
    created_at INTEGER NOT NULL, -- microseconds since 1970
    expires_at INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX creations_by_end ON creations (expires_at);

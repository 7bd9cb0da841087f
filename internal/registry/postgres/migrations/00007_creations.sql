-- +goose Up

-- What was made with an Idempotency-Key, so that a repeat makes nothing.
CREATE TABLE creations (
    tenant     text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL, -- a hash of what is made and the key
    digest     text             NOT NULL, -- of the body, keyed with the key
    id         text             NOT NULL, -- of the endpoint or source
    created_at bigint           NOT NULL, -- microseconds since 1970
    expires_at bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, name)
);
CREATE INDEX creations_by_end ON creations (expires_at);

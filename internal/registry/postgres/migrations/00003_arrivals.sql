-- +goose Up

-- Items of sources, by a hash of what makes them the same when they come again. One that is known by its
-- content alone is noted before it becomes an event, the others afterwards.
CREATE TABLE arrivals (
    source_id  text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    first_at   bigint           NOT NULL, -- microseconds since 1970
    taken      boolean          NOT NULL, -- it has become an event
    expires_at bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (source_id, name)
);
CREATE INDEX arrivals_by_end ON arrivals (expires_at);
CREATE INDEX arrivals_by_age ON arrivals (source_id, first_at);

-- What became of what a source sent.
CREATE TABLE source_activity (
    source_id        text COLLATE "C" NOT NULL PRIMARY KEY,
    accepted         bigint           NOT NULL,
    repeats          bigint           NOT NULL,
    refused          bigint           NOT NULL,
    last_accepted_at bigint           NOT NULL, -- microseconds since 1970, 0 for never
    last_refused_at  bigint           NOT NULL, -- likewise
    last_refusal     text             NOT NULL
);

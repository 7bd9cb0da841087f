-- +goose Up

-- Additive: the version before names its columns, so an endpoint it makes gets the default, and one it
-- changes keeps what stands here. It does not know the tables.

-- What workers tell each other of an endpoint.
ALTER TABLE endpoints ADD COLUMN breaker_opened_at bigint NOT NULL DEFAULT 0; -- microseconds since 1970, 0 for closed ones

-- The pace of each endpoint with a rate limit, for all workers together: the time at which its bucket will
-- be full again, and the deliveries that have a slot of their own.
CREATE TABLE paces (
    tenant      text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    full_at     bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, endpoint_id),
    FOREIGN KEY (tenant, endpoint_id) REFERENCES endpoints (tenant, id) ON DELETE CASCADE
);
CREATE TABLE slots (
    tenant      text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    at          bigint           NOT NULL, -- microseconds since 1970
    again       boolean          NOT NULL, -- it missed one already: this one is good however late
    PRIMARY KEY (tenant, endpoint_id, event_id),
    FOREIGN KEY (tenant, endpoint_id) REFERENCES endpoints (tenant, id) ON DELETE CASCADE
);
CREATE INDEX slots_by_time ON slots (at);

-- +goose Up

-- The gateways that serve: each says so every few seconds, and has its share of the tenants' quotas.
CREATE TABLE gateways (
    id      text COLLATE "C" NOT NULL PRIMARY KEY,
    seen_at bigint           NOT NULL -- microseconds since 1970, by the clock of the server
);

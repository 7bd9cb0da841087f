-- +goose Up

-- Disabled endpoints are found, too: an event says which it would have gone to. Matching still reads its
-- index alone.
ALTER TABLE subscriptions ADD COLUMN disabled boolean NOT NULL DEFAULT false; -- nothing goes there
INSERT INTO subscriptions (tenant, event_type, endpoint_id, disabled)
    SELECT DISTINCT tenant, pattern, id, true
    FROM endpoints, json_array_elements_text(CASE event_types WHEN '' THEN '["*"]' ELSE event_types END::json) AS pattern
    WHERE state = 'disabled';
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_pkey;
ALTER TABLE subscriptions ADD PRIMARY KEY (tenant, event_type, endpoint_id) INCLUDE (disabled);

-- Which endpoints an event was redelivered to that it was not accepted for. Temporal knows each of those
-- deliveries by its id, and has no list by event that may be asked often.
CREATE TABLE redelivered (
    tenant      text COLLATE "C" NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    expires_at  bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, event_id, endpoint_id)
);
CREATE INDEX redelivered_by_end ON redelivered (expires_at);

-- +goose Up

-- Disabled endpoints are found, too: an event says which it would have gone to.
ALTER TABLE subscriptions ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0; -- 1: nothing goes there
INSERT INTO subscriptions (tenant, event_type, endpoint_id, disabled)
    SELECT DISTINCT tenant, pattern.value, endpoints.id, 1
    FROM endpoints, json_each(CASE event_types WHEN '' THEN '["*"]' ELSE event_types END) AS pattern
    WHERE state = 'disabled';

-- Which endpoints an event was redelivered to that it was not accepted for. Temporal knows each of those
-- deliveries by its id, and has no list by event that may be asked often.
CREATE TABLE redelivered (
    tenant      TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    endpoint_id TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, event_id, endpoint_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX redelivered_by_end ON redelivered (expires_at);

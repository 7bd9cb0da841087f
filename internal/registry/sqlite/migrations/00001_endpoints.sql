-- +goose Up

-- Marks the file as ours ("Hook"): Open touches no other application's database.
PRAGMA application_id = 1215262571;

-- Nothing is ever looked up by an endpoint's id alone: it always belongs to a tenant.
CREATE TABLE endpoints (
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL, -- ep_ and a ULID, so the order of ids is the order of creation
    url         TEXT    NOT NULL,
    event_types TEXT    NOT NULL, -- JSON list, '' for every type; subscriptions is what Match reads
    description TEXT    NOT NULL,
    headers     TEXT    NOT NULL, -- JSON object, sealed, in base64; '' for none
    metadata    TEXT    NOT NULL, -- JSON object, '' for none
    schedule    TEXT    NOT NULL, -- JSON list of nanoseconds, '' for the default
    timeout     INTEGER NOT NULL, -- nanoseconds, 0 for the default
    state       TEXT    NOT NULL, -- active, held, paused or disabled
    secrets     BLOB    NOT NULL, -- all of them sealed as one, with a key that is not in here
    version     INTEGER NOT NULL, -- one more with each change
    created_at  INTEGER NOT NULL, -- microseconds since 1970
    updated_at  INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, id)
) STRICT;

-- Which endpoints take an event of a type: a row for each type an endpoint names, or one row with
-- '*' for every type. Disabled endpoints have none. The key is the whole row, so matching reads
-- nothing else, and in the order of endpoint ids.
CREATE TABLE subscriptions (
    tenant      TEXT NOT NULL,
    event_type  TEXT NOT NULL,
    endpoint_id TEXT NOT NULL,
    PRIMARY KEY (tenant, event_type, endpoint_id),
    FOREIGN KEY (tenant, endpoint_id) REFERENCES endpoints (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- For changing and deleting an endpoint's subscriptions without reading all of its tenant's.
CREATE INDEX subscriptions_by_endpoint ON subscriptions (tenant, endpoint_id);

-- +goose Up

-- Additive, as 00002 is: the version before does not know these tables, and leaves the columns as they
-- are.

-- A third party's request names its source by the id alone, so ids are unique by themselves.
CREATE TABLE sources (
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL, -- src_ and a ULID, so the order of ids is the order of creation
    provider    TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    config      BLOB    NOT NULL, -- JSON with the third party's secrets, sealed as one
    type_prefix TEXT    NOT NULL, -- '' for the provider's name
    application TEXT    NOT NULL, -- '' when it is not said
    echo        TEXT    NOT NULL, -- JSON object, '' for none
    version     INTEGER NOT NULL, -- one more with each change
    created_at  INTEGER NOT NULL, -- microseconds since 1970
    updated_at  INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE UNIQUE INDEX sources_by_id ON sources (id);

ALTER TABLE endpoints ADD COLUMN application TEXT    NOT NULL DEFAULT ''; -- '' when it is not said
ALTER TABLE endpoints ADD COLUMN echo_back   INTEGER NOT NULL DEFAULT 0;  -- 1: gets its application's own events
ALTER TABLE endpoints ADD COLUMN echo        TEXT    NOT NULL DEFAULT ''; -- JSON object, '' for none
ALTER TABLE endpoints ADD COLUMN request     TEXT    NOT NULL DEFAULT ''; -- JSON object, '' for the envelope
ALTER TABLE endpoints ADD COLUMN breaker_opened_at INTEGER NOT NULL DEFAULT 0; -- microseconds since 1970, 0 for closed ones
CREATE INDEX endpoints_by_application ON endpoints (tenant, application) WHERE application <> '';

-- The ledger, by which the echo of what we wrote is told from a change. One number orders all changes.
CREATE TABLE ledger_order (n INTEGER NOT NULL) STRICT;
INSERT INTO ledger_order VALUES (0);

-- What deliveries have brought to an application, or are about to, and it has not reported yet.
CREATE TABLE ledger_writes (
    tenant      TEXT    NOT NULL,
    application TEXT    NOT NULL,
    key         TEXT    NOT NULL, -- of the object
    hash        TEXT    NOT NULL, -- of its value
    event_id    TEXT    NOT NULL,
    endpoint_id TEXT    NOT NULL,
    n           INTEGER NOT NULL, -- the place of the change it carries
    idle        INTEGER NOT NULL, -- the application had that value and may say nothing: 1, or 2 if the change was unsure
    noted_at    INTEGER NOT NULL, -- microseconds since 1970
    expires_at  INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, application, key, hash, event_id, endpoint_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_writes_by_end ON ledger_writes (expires_at);
CREATE INDEX ledger_writes_by_n ON ledger_writes (n);

-- What is known of an object in an application: what it last reported, and the latest change it was told
-- of or made.
CREATE TABLE ledger_objects (
    tenant       TEXT    NOT NULL,
    application  TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    hash         TEXT    NOT NULL, -- of the value it last reported, '' for none yet
    event_id     TEXT    NOT NULL, -- by which it did
    echo_of      TEXT    NOT NULL, -- the event whose write that was, '' for a change of its own
    n            INTEGER NOT NULL, -- its place
    latest       INTEGER NOT NULL, -- the place of the latest change
    latest_event TEXT    NOT NULL,
    expires_at   INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, application, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_objects_by_end ON ledger_objects (expires_at);

-- Names that third parties gave to one content each.
CREATE TABLE claims (
    source_id  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    content    TEXT    NOT NULL, -- a hash
    expires_at INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (source_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_end ON claims (expires_at);

-- +goose Up

-- Whether a decision about the endpoint must say whose it is.
ALTER TABLE endpoints ADD COLUMN approval_named INTEGER NOT NULL DEFAULT 0;

-- What became of settings, and who looked at secrets and payloads. A tenant's lines are in the order of
-- their times, of which no two are the same.
CREATE TABLE change_log (
    tenant      TEXT    NOT NULL,
    at          INTEGER NOT NULL, -- microseconds since 1970
    kind        TEXT    NOT NULL,
    actor       TEXT    NOT NULL, -- who, as Hookloop knows
    via         TEXT    NOT NULL, -- by which way
    event_id    TEXT    NOT NULL, -- '' where it is about none, as the next two
    endpoint_id TEXT    NOT NULL,
    source_id   TEXT    NOT NULL,
    version     INTEGER NOT NULL, -- of the endpoint, since then
    url_host    TEXT    NOT NULL, -- likewise
    status      TEXT    NOT NULL, -- likewise
    reason      TEXT    NOT NULL,
    changes     TEXT    NOT NULL, -- JSON list of fields, '' for none: no secret is in there
    detail      TEXT    NOT NULL,
    PRIMARY KEY (tenant, at)
) STRICT; -- not WITHOUT ROWID: SQLite would prefer the table to its indexes
CREATE INDEX change_log_by_event ON change_log (tenant, event_id, at);
CREATE INDEX change_log_by_endpoint ON change_log (tenant, endpoint_id, at);
CREATE INDEX change_log_by_source ON change_log (tenant, source_id, at);
CREATE INDEX change_log_by_actor ON change_log (tenant, actor, at);
CREATE INDEX change_log_by_status ON change_log (tenant, status, at);
CREATE INDEX change_log_by_kind ON change_log (tenant, kind, at);

-- What is written stays.
-- +goose StatementBegin
CREATE TRIGGER change_log_stays BEFORE UPDATE ON change_log
BEGIN
    SELECT RAISE(ABORT, 'the change log is only added to');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER change_log_keeps BEFORE DELETE ON change_log
BEGIN
    SELECT RAISE(ABORT, 'the change log is only added to');
END;
-- +goose StatementEnd

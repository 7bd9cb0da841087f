-- +goose Up

-- Whether a decision about the endpoint must say whose it is.
ALTER TABLE endpoints ADD COLUMN approval_named boolean NOT NULL DEFAULT false;

-- What became of settings, and who looked at secrets and payloads. A tenant's lines are in the order of
-- their times, of which no two are the same.
CREATE TABLE change_log (
    tenant      text COLLATE "C" NOT NULL,
    at          bigint           NOT NULL, -- microseconds since 1970
    kind        text COLLATE "C" NOT NULL,
    actor       text COLLATE "C" NOT NULL, -- who, as Hookloop knows
    via         text             NOT NULL, -- by which way
    event_id    text COLLATE "C" NOT NULL, -- '' where it is about none, as the next two
    endpoint_id text COLLATE "C" NOT NULL,
    source_id   text COLLATE "C" NOT NULL,
    version     bigint           NOT NULL, -- of the endpoint, since then
    url_host    text             NOT NULL, -- likewise
    status      text             NOT NULL, -- likewise
    reason      text             NOT NULL,
    changes     text             NOT NULL, -- JSON list of fields, '' for none: no secret is in there
    detail      text             NOT NULL,
    PRIMARY KEY (tenant, at)
);
CREATE INDEX change_log_by_event ON change_log (tenant, event_id, at);
CREATE INDEX change_log_by_endpoint ON change_log (tenant, endpoint_id, at);
CREATE INDEX change_log_by_source ON change_log (tenant, source_id, at);
CREATE INDEX change_log_by_actor ON change_log (tenant, actor, at);
CREATE INDEX change_log_by_status ON change_log (tenant, status, at);
CREATE INDEX change_log_by_kind ON change_log (tenant, kind, at);

-- What is written stays.
-- +goose StatementBegin
CREATE FUNCTION refuse_change_of_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the change log is only added to';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER change_log_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON change_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_log();

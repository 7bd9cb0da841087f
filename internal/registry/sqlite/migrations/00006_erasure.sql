-- +goose Up

-- Events whose data was erased: who wanted it, when, and why. A row is never deleted: an event of that id is
-- not accepted again.
CREATE TABLE erasures (
    tenant      TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    asked_at    INTEGER NOT NULL, -- microseconds since 1970, as all times here
    erased_at   INTEGER NOT NULL, -- from Temporal and the registry; 0: under way
    done_at     INTEGER NOT NULL, -- looked for once more, and nothing was left; 0: not yet
    changed_at  INTEGER NOT NULL, -- the later of the two; 0: not yet
    due_at      INTEGER NOT NULL, -- when a process is to go on with it; 0: never
    actor       TEXT    NOT NULL,
    via         TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    data_sha256 TEXT    NOT NULL, -- '' where the data was gone before
    data_bytes  INTEGER NOT NULL,
    endpoints   TEXT    NOT NULL, -- JSON list, '' for none: to which there may be deliveries
    PRIMARY KEY (tenant, event_id)
) STRICT;
CREATE INDEX erasures_by_due ON erasures (due_at) WHERE due_at > 0;
CREATE INDEX erasures_by_change ON erasures (changed_at) WHERE changed_at > 0;

-- Whom an event concerns, as a hash with a key that is each tenant's own.
CREATE TABLE subjects (
    tenant     TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, event_id)
) STRICT;
CREATE INDEX subjects_by_subject ON subjects (tenant, subject, event_id);
CREATE INDEX subjects_by_end ON subjects (expires_at);

-- Those keys, sealed.
CREATE TABLE subject_keys (
    tenant TEXT NOT NULL,
    id     TEXT NOT NULL, -- always the same
    sealed BLOB NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

-- What must not be erased: an event, or all that concerns a subject.
CREATE TABLE holds (
    tenant   TEXT    NOT NULL,
    event_id TEXT    NOT NULL, -- '' for a subject
    subject  TEXT    NOT NULL, -- '' for an event
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    PRIMARY KEY (tenant, event_id, subject)
) STRICT;

-- +goose Up

-- Events whose data was erased: who wanted it, when, and why. A row is never deleted: an event of that id is
-- not accepted again.
CREATE TABLE erasures (
    tenant      text COLLATE "C" NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    asked_at    bigint NOT NULL, -- microseconds since 1970, as all times here
    erased_at   bigint NOT NULL, -- from Temporal and the registry; 0: under way
    done_at     bigint NOT NULL, -- looked for once more, and nothing was left; 0: not yet
    changed_at  bigint NOT NULL, -- the later of the two; 0: not yet
    due_at      bigint NOT NULL, -- when a process is to go on with it; 0: never
    actor       text NOT NULL,
    via         text NOT NULL,
    reason      text NOT NULL,
    data_sha256 text NOT NULL, -- '' where the data was gone before
    data_bytes  bigint NOT NULL,
    endpoints   text NOT NULL, -- JSON list, '' for none: to which there may be deliveries
    PRIMARY KEY (tenant, event_id)
);
CREATE INDEX erasures_by_due ON erasures (due_at) WHERE due_at > 0;
CREATE INDEX erasures_by_change ON erasures (changed_at) WHERE changed_at > 0;

-- Whom an event concerns, as a hash with a key that is each tenant's own.
CREATE TABLE subjects (
    tenant     text COLLATE "C" NOT NULL,
    event_id   text COLLATE "C" NOT NULL,
    subject    text COLLATE "C" NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant, event_id)
);
CREATE INDEX subjects_by_subject ON subjects (tenant, subject, event_id);
CREATE INDEX subjects_by_end ON subjects (expires_at);

-- Those keys, sealed.
CREATE TABLE subject_keys (
    tenant text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL, -- always the same
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant, id)
);

-- What must not be erased: an event, or all that concerns a subject.
CREATE TABLE holds (
    tenant   text COLLATE "C" NOT NULL,
    event_id text COLLATE "C" NOT NULL, -- '' for a subject
    subject  text COLLATE "C" NOT NULL, -- '' for an event
    at       bigint NOT NULL,
    actor    text NOT NULL,
    reason   text NOT NULL,
    PRIMARY KEY (tenant, event_id, subject)
);

-- +goose Up

-- Marks the file as ours ("Hook"): Open touches no other application's database.
PRAGMA application_id = 1215262571;

-- An endpoint belongs to a tenant, and is always looked up by both ids.
CREATE TABLE endpoints (
    tenant            TEXT    NOT NULL,
    id                TEXT    NOT NULL, -- ep_ and a ULID, so the order of ids is the order of creation
    url               TEXT    NOT NULL,
    event_types       TEXT    NOT NULL, -- JSON list, '' for every type; subscriptions is what Match reads
    description       TEXT    NOT NULL,
    headers           TEXT    NOT NULL, -- JSON object, sealed, in base64; '' for none
    metadata          TEXT    NOT NULL, -- JSON object, '' for none
    schedule          TEXT    NOT NULL, -- JSON list of nanoseconds, '' for the default
    timeout           INTEGER NOT NULL, -- nanoseconds, 0 for the default
    rate_per_second   REAL    NOT NULL, -- 0 for no limit
    rate_burst        INTEGER NOT NULL, -- 0 for no limit
    approval_after    INTEGER NOT NULL, -- nanoseconds, 0 for the default
    approval_timeout  INTEGER NOT NULL, -- nanoseconds, 0 for the default
    application       TEXT    NOT NULL, -- '' when it is not said
    echo_back         INTEGER NOT NULL, -- whether it gets its application's own events
    echo              TEXT    NOT NULL, -- JSON object, '' for none
    request           TEXT    NOT NULL, -- JSON object, '' for the envelope
    state             TEXT    NOT NULL, -- active, held, paused or disabled
    state_reason      TEXT    NOT NULL, -- why it is not active
    releasing         INTEGER NOT NULL, -- microseconds since 1970, 0 for no release
    secrets           BLOB    NOT NULL, -- all of them sealed as one, with a key that is not in here
    version           INTEGER NOT NULL, -- one more with each change
    created_at        INTEGER NOT NULL, -- microseconds since 1970
    updated_at        INTEGER NOT NULL, -- microseconds since 1970
    breaker_opened_at INTEGER NOT NULL DEFAULT 0, -- microseconds since 1970, 0 for closed ones: what workers tell each other
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX endpoints_by_application ON endpoints (tenant, application) WHERE application <> '';

-- Which endpoints take an event of a type: a row for each type an endpoint names, or one row with
-- '*' for every type. Disabled endpoints are found, too: an event says which it would have gone to.
-- The key is the whole row, so matching reads nothing else, and in the order of endpoint ids.
CREATE TABLE subscriptions (
    tenant      TEXT    NOT NULL,
    event_type  TEXT    NOT NULL,
    endpoint_id TEXT    NOT NULL,
    disabled    INTEGER NOT NULL DEFAULT 0, -- nothing goes there
    PRIMARY KEY (tenant, event_type, endpoint_id),
    FOREIGN KEY (tenant, endpoint_id) REFERENCES endpoints (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- For changing and deleting an endpoint's subscriptions without reading all of its tenant's.
CREATE INDEX subscriptions_by_endpoint ON subscriptions (tenant, endpoint_id);

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

-- What an echo of ours is told from a change by. Each tenant's changes have an order of their own.
CREATE TABLE echo_orders (
    tenant TEXT    NOT NULL PRIMARY KEY,
    n      INTEGER NOT NULL -- of the latest change
) STRICT, WITHOUT ROWID;

-- What deliveries have brought to an application, or are about to, and it has not reported yet.
CREATE TABLE echo_writes (
    tenant        TEXT    NOT NULL,
    application   TEXT    NOT NULL,
    key           BLOB    NOT NULL, -- of the object, in a third party's words: any bytes
    hash          TEXT    NOT NULL, -- of its value
    event_id      TEXT    NOT NULL,
    endpoint_id   TEXT    NOT NULL,
    n             INTEGER NOT NULL, -- the place of the change it carries
    idle          INTEGER NOT NULL, -- the application had that value and may say nothing: 1, or 2 if the change was unsure
    noted_at      INTEGER NOT NULL, -- microseconds since 1970
    expires_at    INTEGER NOT NULL, -- microseconds since 1970
    counts_until  INTEGER,          -- while its delivery is on its way, and once it has arrived: microseconds since 1970; NULL: until it expires
    counted_until INTEGER,          -- likewise, before the latest attempt; NULL: there was none
    PRIMARY KEY (tenant, application, key, hash, event_id, endpoint_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX echo_writes_by_end ON echo_writes (expires_at);
CREATE INDEX echo_writes_by_tenant ON echo_writes (tenant, n); -- each tenant's are counted by themselves

-- What is known of an object in an application: what it last reported, and the latest change it was
-- brought or made.
CREATE TABLE echo_objects (
    tenant       TEXT    NOT NULL,
    application  TEXT    NOT NULL,
    key          BLOB    NOT NULL,
    hash         TEXT    NOT NULL, -- of the value it last reported, '' for none yet
    event_id     TEXT    NOT NULL, -- by which it did
    echo_of      TEXT    NOT NULL, -- the event whose write that was, '' for a change of its own
    n            INTEGER NOT NULL, -- its place
    latest       INTEGER NOT NULL, -- the place of the latest change
    latest_event TEXT    NOT NULL,
    expires_at   INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, application, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX echo_objects_by_end ON echo_objects (expires_at);

-- Names that third parties gave to one content each.
CREATE TABLE bindings (
    source_id  TEXT    NOT NULL,
    name       BLOB    NOT NULL, -- its SHA-256: theirs may be of any length
    content    TEXT    NOT NULL, -- a hash
    expires_at INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (source_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX bindings_by_end ON bindings (expires_at);

-- Items of sources, by a hash of what makes them the same when they come again. One that is known by its
-- content alone is noted before it becomes an event, the others afterwards.
CREATE TABLE arrivals (
    source_id  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    first_at   INTEGER NOT NULL, -- microseconds since 1970
    taken      INTEGER NOT NULL, -- it has become an event
    expires_at INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (source_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX arrivals_by_end ON arrivals (expires_at);
CREATE INDEX arrivals_by_age ON arrivals (source_id, first_at);

-- What became of what a source sent.
CREATE TABLE source_activity (
    source_id        TEXT    NOT NULL PRIMARY KEY,
    accepted         INTEGER NOT NULL,
    repeats          INTEGER NOT NULL,
    refused          INTEGER NOT NULL,
    last_accepted_at INTEGER NOT NULL, -- microseconds since 1970, 0 for never
    last_refused_at  INTEGER NOT NULL, -- likewise
    last_refusal     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Data of large events, sealed as histories are. Not WITHOUT ROWID: a row is up to 25 MiB.
CREATE TABLE bodies (
    tenant     TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    digest     TEXT    NOT NULL, -- SHA-256 of the data, in hex
    created_at INTEGER NOT NULL, -- microseconds since 1970
    sealed     BLOB    NOT NULL,
    PRIMARY KEY (tenant, event_id, digest)
) STRICT;

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

-- What was made with an Idempotency-Key, so that a repeat makes nothing.
CREATE TABLE creations (
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL, -- a hash of what is made and the key
    digest     TEXT    NOT NULL, -- of the body, keyed with the key
    id         TEXT    NOT NULL, -- of the endpoint or source
    created_at INTEGER NOT NULL, -- microseconds since 1970
    expires_at INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX creations_by_end ON creations (expires_at);

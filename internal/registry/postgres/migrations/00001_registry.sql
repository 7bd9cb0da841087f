-- +goose Up

-- What is compared is compared byte by byte (COLLATE "C"): ids sort in the order of creation whatever
-- the database's language, and new collation rules of a newer system leave the indexes in order.

-- An endpoint belongs to a tenant, and is always looked up by both ids.
CREATE TABLE endpoints (
    tenant            text COLLATE "C" NOT NULL,
    id                text COLLATE "C" NOT NULL, -- ep_ and a ULID, so the order of ids is the order of creation
    url               text             NOT NULL,
    event_types       text             NOT NULL, -- JSON list, '' for every type; subscriptions is what Match reads
    description       text             NOT NULL,
    headers           text             NOT NULL, -- JSON object, sealed, in base64; '' for none
    metadata          text             NOT NULL, -- JSON object, '' for none
    schedule          text             NOT NULL, -- JSON list of nanoseconds, '' for the default
    timeout           bigint           NOT NULL, -- nanoseconds, 0 for the default
    rate_per_second   double precision NOT NULL, -- 0 for no limit
    rate_burst        bigint           NOT NULL, -- 0 for no limit
    approval_after    bigint           NOT NULL, -- nanoseconds, 0 for the default
    approval_timeout  bigint           NOT NULL, -- nanoseconds, 0 for the default
    application       text COLLATE "C" NOT NULL, -- '' when it is not said
    echo_back         boolean          NOT NULL, -- whether it gets its application's own events
    echo              text             NOT NULL, -- JSON object, '' for none
    request           text             NOT NULL, -- JSON object, '' for the envelope
    state             text             NOT NULL, -- active, held, paused or disabled
    state_reason      text             NOT NULL, -- why it is not active
    releasing         bigint           NOT NULL, -- microseconds since 1970, 0 for no release
    secrets           bytea            NOT NULL, -- all of them sealed as one, with a key that is not in here
    version           bigint           NOT NULL, -- one more with each change
    created_at        bigint           NOT NULL, -- microseconds since 1970
    updated_at        bigint           NOT NULL, -- microseconds since 1970
    breaker_opened_at bigint           NOT NULL DEFAULT 0, -- microseconds since 1970, 0 for closed ones: what workers tell each other
    PRIMARY KEY (tenant, id)
);
CREATE INDEX endpoints_by_application ON endpoints (tenant, application) WHERE application <> '';

-- Which endpoints take an event of a type: a row for each type an endpoint names, or one row with
-- '*' for every type. Disabled endpoints are found, too: an event says which it would have gone to.
-- The key is the whole row, so matching reads its index alone, and in the order of endpoint ids.
CREATE TABLE subscriptions (
    tenant      text COLLATE "C" NOT NULL,
    event_type  text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    disabled    boolean          NOT NULL DEFAULT false, -- nothing goes there
    PRIMARY KEY (tenant, event_type, endpoint_id) INCLUDE (disabled),
    FOREIGN KEY (tenant, endpoint_id) REFERENCES endpoints (tenant, id) ON DELETE CASCADE
);

-- For changing and deleting an endpoint's subscriptions without reading all of its tenant's.
CREATE INDEX subscriptions_by_endpoint ON subscriptions (tenant, endpoint_id);

-- A third party's request names its source by the id alone, so ids are unique by themselves.
CREATE TABLE sources (
    tenant      text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL, -- src_ and a ULID, so the order of ids is the order of creation
    provider    text             NOT NULL,
    name        text             NOT NULL,
    config      bytea            NOT NULL, -- JSON with the third party's secrets, sealed as one
    type_prefix text             NOT NULL, -- '' for the provider's name
    application text             NOT NULL, -- '' when it is not said
    echo        text             NOT NULL, -- JSON object, '' for none
    version     bigint           NOT NULL, -- one more with each change
    created_at  bigint           NOT NULL, -- microseconds since 1970
    updated_at  bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX sources_by_id ON sources (id);

-- What an echo of ours is told from a change by. One number orders all changes. It grows with time
-- only as long as no connection holds numbers in stock: CACHE stays 1.
CREATE SEQUENCE echo_order CACHE 1;

-- What deliveries have brought to an application, or are about to, and it has not reported yet.
CREATE TABLE echo_writes (
    tenant        text COLLATE "C" NOT NULL,
    application   text COLLATE "C" NOT NULL,
    key           bytea            NOT NULL, -- of the object, in a third party's words: any bytes
    hash          text COLLATE "C" NOT NULL, -- of its value
    event_id      text COLLATE "C" NOT NULL,
    endpoint_id   text COLLATE "C" NOT NULL,
    n             bigint           NOT NULL, -- the place of the change it carries
    idle          smallint         NOT NULL, -- the application had that value and may say nothing: 1, or 2 if the change was unsure
    noted_at      bigint           NOT NULL, -- microseconds since 1970
    expires_at    bigint           NOT NULL, -- microseconds since 1970
    counts_until  bigint,                    -- while its delivery is on its way, and once it has arrived: microseconds since 1970; NULL: until it expires
    counted_until bigint,                    -- likewise, before the latest attempt; NULL: there was none
    PRIMARY KEY (tenant, application, key, hash, event_id, endpoint_id)
);
CREATE INDEX echo_writes_by_end ON echo_writes (expires_at);
CREATE INDEX echo_writes_by_tenant ON echo_writes (tenant, n); -- each tenant's are counted by themselves

-- What is known of an object in an application: what it last reported, and the latest change it was
-- brought or made.
CREATE TABLE echo_objects (
    tenant       text COLLATE "C" NOT NULL,
    application  text COLLATE "C" NOT NULL,
    key          bytea            NOT NULL,
    hash         text             NOT NULL, -- of the value it last reported, '' for none yet
    event_id     text             NOT NULL, -- by which it did
    echo_of      text             NOT NULL, -- the event whose write that was, '' for a change of its own
    n            bigint           NOT NULL, -- its place
    latest       bigint           NOT NULL, -- the place of the latest change
    latest_event text             NOT NULL,
    expires_at   bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, application, key)
);
CREATE INDEX echo_objects_by_end ON echo_objects (expires_at);

-- Names that third parties gave to one content each.
CREATE TABLE bindings (
    source_id  text COLLATE "C" NOT NULL,
    name       bytea            NOT NULL, -- its SHA-256: theirs may be of any length
    content    text             NOT NULL, -- a hash
    expires_at bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (source_id, name)
);
CREATE INDEX bindings_by_end ON bindings (expires_at);

-- The pace of each endpoint with a rate limit, for all workers together: the time at which its bucket will
-- be full again, and the deliveries that have a slot of their own.
CREATE TABLE paces (
    tenant      text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    full_at     bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, endpoint_id),
    FOREIGN KEY (tenant, endpoint_id) REFERENCES endpoints (tenant, id) ON DELETE CASCADE
);
CREATE TABLE slots (
    tenant      text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    at          bigint           NOT NULL, -- microseconds since 1970
    again       boolean          NOT NULL, -- its delivery missed one already: this one is good however late
    PRIMARY KEY (tenant, endpoint_id, event_id),
    FOREIGN KEY (tenant, endpoint_id) REFERENCES endpoints (tenant, id) ON DELETE CASCADE
);
CREATE INDEX slots_by_time ON slots (at);

-- Items of sources, by a hash of what makes them the same when they come again. One that is known by its
-- content alone is noted before it becomes an event, the others afterwards.
CREATE TABLE arrivals (
    source_id  text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    first_at   bigint           NOT NULL, -- microseconds since 1970
    taken      boolean          NOT NULL, -- it has become an event
    expires_at bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (source_id, name)
);
CREATE INDEX arrivals_by_end ON arrivals (expires_at);
CREATE INDEX arrivals_by_age ON arrivals (source_id, first_at);

-- What became of what a source sent.
CREATE TABLE source_activity (
    source_id        text COLLATE "C" NOT NULL PRIMARY KEY,
    accepted         bigint           NOT NULL,
    repeats          bigint           NOT NULL,
    refused          bigint           NOT NULL,
    last_accepted_at bigint           NOT NULL, -- microseconds since 1970, 0 for never
    last_refused_at  bigint           NOT NULL, -- likewise
    last_refusal     text             NOT NULL
);

-- Data of large events, sealed as histories are.
CREATE TABLE bodies (
    tenant     text COLLATE "C" NOT NULL,
    event_id   text COLLATE "C" NOT NULL,
    digest     text COLLATE "C" NOT NULL, -- SHA-256 of the data, in hex
    created_at bigint           NOT NULL, -- microseconds since 1970
    sealed     bytea            NOT NULL,
    PRIMARY KEY (tenant, event_id, digest)
);
ALTER TABLE bodies ALTER COLUMN sealed SET STORAGE EXTERNAL; -- what is encrypted cannot be packed

-- The gateways that serve: each says so every few seconds, and has its share of the tenants' quotas.
CREATE TABLE gateways (
    id      text COLLATE "C" NOT NULL PRIMARY KEY,
    seen_at bigint           NOT NULL -- microseconds since 1970, by the clock of the server
);

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

-- What was made with an Idempotency-Key, so that a repeat makes nothing.
CREATE TABLE creations (
    tenant     text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL, -- a hash of what is made and the key
    digest     text             NOT NULL, -- of the body, keyed with the key
    id         text             NOT NULL, -- of the endpoint or source
    created_at bigint           NOT NULL, -- microseconds since 1970
    expires_at bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, name)
);
CREATE INDEX creations_by_end ON creations (expires_at);

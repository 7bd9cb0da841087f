-- +goose Up

-- What is compared is compared byte by byte (COLLATE "C"): ids sort in the order of creation whatever
-- the database's language, and new collation rules of a newer system leave the indexes in order.

-- Nothing is ever looked up by an endpoint's id alone: it always belongs to a tenant.
CREATE TABLE endpoints (
    tenant           text COLLATE "C" NOT NULL,
    id               text COLLATE "C" NOT NULL, -- ep_ and a ULID, so the order of ids is the order of creation
    url              text             NOT NULL,
    event_types      text             NOT NULL, -- JSON list, '' for every type; subscriptions is what Match reads
    description      text             NOT NULL,
    headers          text             NOT NULL, -- JSON object, sealed, in base64; '' for none
    metadata         text             NOT NULL, -- JSON object, '' for none
    schedule         text             NOT NULL, -- JSON list of nanoseconds, '' for the default
    timeout          bigint           NOT NULL, -- nanoseconds, 0 for the default
    rate_per_second  double precision NOT NULL, -- 0 for no limit
    rate_burst       bigint           NOT NULL, -- 0 for no limit
    approval_after   bigint           NOT NULL, -- nanoseconds, 0 for the default
    approval_timeout bigint           NOT NULL, -- nanoseconds, 0 for the default
    application      text COLLATE "C" NOT NULL, -- '' when it is not said
    echo_back        boolean          NOT NULL, -- whether it gets its application's own events
    echo             text             NOT NULL, -- JSON object, '' for none
    request          text             NOT NULL, -- JSON object, '' for the envelope
    state            text             NOT NULL, -- active, held, paused or disabled
    state_reason     text             NOT NULL, -- why it is not active
    releasing        bigint           NOT NULL, -- microseconds since 1970, 0 for no release
    secrets          bytea            NOT NULL, -- all of them sealed as one, with a key that is not in here
    version          bigint           NOT NULL, -- one more with each change
    created_at       bigint           NOT NULL, -- microseconds since 1970
    updated_at       bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, id)
);
CREATE INDEX endpoints_by_application ON endpoints (tenant, application) WHERE application <> '';

-- Which endpoints take an event of a type: a row for each type an endpoint names, or one row with
-- '*' for every type. Disabled endpoints have none. The key is the whole row, so matching reads
-- its index alone, and in the order of endpoint ids.
CREATE TABLE subscriptions (
    tenant      text COLLATE "C" NOT NULL,
    event_type  text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, event_type, endpoint_id),
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

-- The ledger, by which the echo of what we wrote is told from a change. One number orders all changes.
-- It grows with time only as long as no connection holds numbers in stock: CACHE stays 1.
CREATE SEQUENCE ledger_order CACHE 1;

-- What deliveries have brought to an application, or are about to, and it has not reported yet.
CREATE TABLE ledger_writes (
    tenant      text COLLATE "C" NOT NULL,
    application text COLLATE "C" NOT NULL,
    key         bytea            NOT NULL, -- of the object, in a third party's words: any bytes
    hash        text COLLATE "C" NOT NULL, -- of its value
    event_id    text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    n           bigint           NOT NULL, -- the place of the change it carries
    idle        smallint         NOT NULL, -- the application had that value and may say nothing: 1, or 2 if the change was unsure
    noted_at    bigint           NOT NULL, -- microseconds since 1970
    expires_at  bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (tenant, application, key, hash, event_id, endpoint_id)
);
CREATE INDEX ledger_writes_by_end ON ledger_writes (expires_at);
CREATE INDEX ledger_writes_by_n ON ledger_writes (n);

-- What is known of an object in an application: what it last reported, and the latest change it was told
-- of or made.
CREATE TABLE ledger_objects (
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
CREATE INDEX ledger_objects_by_end ON ledger_objects (expires_at);

-- Names that third parties gave to one content each.
CREATE TABLE claims (
    source_id  text COLLATE "C" NOT NULL,
    name       bytea            NOT NULL, -- its SHA-256: theirs may be of any length
    content    text             NOT NULL, -- a hash
    expires_at bigint           NOT NULL, -- microseconds since 1970
    PRIMARY KEY (source_id, name)
);
CREATE INDEX claims_by_end ON claims (expires_at);

-- +goose Up

-- The attempt log: a row for each attempt, and for each delivery whose first turn passed without one. Histories
-- are the truth; what is missing here is made again from them.
CREATE TABLE attempts (
    tenant      text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    event_id    text COLLATE "C" NOT NULL,
    run         text COLLATE "C" NOT NULL, -- the end of the id of the workflow's run that made it
    number      bigint           NOT NULL, -- from 1; 0: the first turn, which was deferred
    event_type  text             NOT NULL,
    at          bigint           NOT NULL, -- when it began: microseconds since 1970; deferred: when the event was accepted
    duration_ms bigint           NOT NULL,
    outcome     text             NOT NULL, -- took, fails, refuses or deferred
    status_code bigint           NOT NULL, -- 0 for no answer
    failure     text             NOT NULL, -- why there was none, or no attempt; '' for an answer
    error       text             NOT NULL, -- the same for people, at most 200 bytes
    PRIMARY KEY (tenant, endpoint_id, event_id, run, number)
);
CREATE INDEX attempts_by_endpoint ON attempts (tenant, endpoint_id, at);
CREATE INDEX attempts_failed ON attempts (tenant, endpoint_id, at) WHERE outcome <> 'took' AND number > 0;
CREATE INDEX attempts_by_time ON attempts (at); -- for deleting the oldest

-- What the attempts at an endpoint came to that began within a minute or an hour.
CREATE TABLE attempt_counts (
    tenant      text COLLATE "C" NOT NULL,
    span        bigint           NOT NULL, -- seconds: 60 or 3600
    at          bigint           NOT NULL, -- when it began: microseconds since 1970
    endpoint_id text COLLATE "C" NOT NULL,
    took        bigint           NOT NULL,
    fails       bigint           NOT NULL,
    refuses     bigint           NOT NULL,
    latency_0    bigint           NOT NULL,
    latency_1    bigint           NOT NULL,
    latency_2    bigint           NOT NULL,
    latency_3    bigint           NOT NULL,
    latency_4    bigint           NOT NULL,
    latency_5    bigint           NOT NULL,
    latency_6    bigint           NOT NULL,
    latency_7    bigint           NOT NULL,
    latency_8    bigint           NOT NULL,
    latency_9    bigint           NOT NULL,
    latency_10   bigint           NOT NULL,
    latency_11   bigint           NOT NULL,
    PRIMARY KEY (tenant, span, at, endpoint_id)
);
CREATE INDEX attempt_counts_by_endpoint ON attempt_counts (tenant, endpoint_id, span, at);
CREATE INDEX attempt_counts_by_time ON attempt_counts (span, at); -- for deleting the oldest

-- What an endpoint took last, and what it did not.
CREATE TABLE attempt_latest (
    tenant      text COLLATE "C" NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL,
    took_at     bigint           NOT NULL, -- microseconds since 1970, 0 for never
    failed_at   bigint           NOT NULL, -- likewise; the rest is about that attempt
    status_code bigint           NOT NULL,
    failure     text             NOT NULL,
    error       text             NOT NULL,
    PRIMARY KEY (tenant, endpoint_id)
);

-- Times of whose attempts some may be missing. A process that writes has one that begins with its latest write
-- and is open; it closes it when it ends in good order.
CREATE TABLE attempt_gaps (
    id       text COLLATE "C" NOT NULL PRIMARY KEY,
    from_at  bigint           NOT NULL, -- microseconds since 1970
    to_at    bigint           NOT NULL, -- microseconds since 1970, 0 while it is open
    taken_at bigint           NOT NULL -- when a process began to mend it: microseconds since 1970, 0 for none
);

-- How many rows the table attempts has.
CREATE TABLE attempt_log (
    size bigint           NOT NULL
);
INSERT INTO attempt_log VALUES (0);

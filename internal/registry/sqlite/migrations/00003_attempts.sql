-- +goose Up

-- The attempt log: a row for each attempt, and for each delivery whose first turn passed without one. Histories
-- are the truth; what is missing here is made again from them.
CREATE TABLE attempts (
    tenant      TEXT    NOT NULL,
    endpoint_id TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    run         TEXT    NOT NULL, -- the end of the id of the workflow's run that made it
    number      INTEGER NOT NULL, -- from 1; 0: the first turn, which was deferred
    event_type  TEXT    NOT NULL,
    at          INTEGER NOT NULL, -- when it began: microseconds since 1970; deferred: when the event was accepted
    duration_ms INTEGER NOT NULL,
    outcome     TEXT    NOT NULL, -- took, fails, refuses or deferred
    status_code INTEGER NOT NULL, -- 0 for no answer
    failure     TEXT    NOT NULL, -- why there was none, or no attempt; '' for an answer
    error       TEXT    NOT NULL, -- the same for people, at most 200 bytes
    PRIMARY KEY (tenant, endpoint_id, event_id, run, number)
) STRICT;
CREATE INDEX attempts_by_endpoint ON attempts (tenant, endpoint_id, at);
CREATE INDEX attempts_failed ON attempts (tenant, endpoint_id, at) WHERE outcome <> 'took' AND number > 0;
CREATE INDEX attempts_by_time ON attempts (at); -- for deleting the oldest

-- What the attempts at an endpoint came to that began within a minute or an hour.
CREATE TABLE attempt_counts (
    tenant      TEXT    NOT NULL,
    span        INTEGER NOT NULL, -- seconds: 60 or 3600
    at          INTEGER NOT NULL, -- when it began: microseconds since 1970
    endpoint_id TEXT    NOT NULL,
    took        INTEGER NOT NULL,
    fails       INTEGER NOT NULL,
    refuses     INTEGER NOT NULL,
    latency_0    INTEGER NOT NULL,
    latency_1    INTEGER NOT NULL,
    latency_2    INTEGER NOT NULL,
    latency_3    INTEGER NOT NULL,
    latency_4    INTEGER NOT NULL,
    latency_5    INTEGER NOT NULL,
    latency_6    INTEGER NOT NULL,
    latency_7    INTEGER NOT NULL,
    latency_8    INTEGER NOT NULL,
    latency_9    INTEGER NOT NULL,
    latency_10   INTEGER NOT NULL,
    latency_11   INTEGER NOT NULL,
    PRIMARY KEY (tenant, span, at, endpoint_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_counts_by_endpoint ON attempt_counts (tenant, endpoint_id, span, at);
CREATE INDEX attempt_counts_by_time ON attempt_counts (span, at); -- for deleting the oldest

-- What an endpoint took last, and what it did not.
CREATE TABLE attempt_latest (
    tenant      TEXT    NOT NULL,
    endpoint_id TEXT    NOT NULL,
    took_at     INTEGER NOT NULL, -- microseconds since 1970, 0 for never
    failed_at   INTEGER NOT NULL, -- likewise; the rest is about that attempt
    status_code INTEGER NOT NULL,
    failure     TEXT    NOT NULL,
    error       TEXT    NOT NULL,
    PRIMARY KEY (tenant, endpoint_id)
) STRICT, WITHOUT ROWID;

-- Times of whose attempts some may be missing. A process that writes has one that begins with its latest write
-- and is open; it closes it when it ends in good order.
CREATE TABLE attempt_gaps (
    id       TEXT    NOT NULL PRIMARY KEY,
    from_at  INTEGER NOT NULL, -- microseconds since 1970
    to_at    INTEGER NOT NULL, -- microseconds since 1970, 0 while it is open
    taken_at INTEGER NOT NULL -- when a process began to mend it: microseconds since 1970, 0 for none
) STRICT, WITHOUT ROWID;

-- How many rows the table attempts has.
CREATE TABLE attempt_log (
    size INTEGER NOT NULL
) STRICT;
INSERT INTO attempt_log VALUES (0);

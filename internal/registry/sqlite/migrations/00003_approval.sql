-- +goose Up

-- Additive, as 00002 is: an endpoint that a process of the version before makes gets the defaults,
-- one it changes keeps what stands here.
ALTER TABLE endpoints ADD COLUMN approval_after   INTEGER NOT NULL DEFAULT 0;  -- nanoseconds, 0 for the default
ALTER TABLE endpoints ADD COLUMN approval_timeout INTEGER NOT NULL DEFAULT 0;  -- nanoseconds, 0 for the default
ALTER TABLE endpoints ADD COLUMN state_reason     TEXT    NOT NULL DEFAULT ''; -- why it is not active
ALTER TABLE endpoints ADD COLUMN releasing        INTEGER NOT NULL DEFAULT 0;  -- microseconds since 1970, 0 for no release

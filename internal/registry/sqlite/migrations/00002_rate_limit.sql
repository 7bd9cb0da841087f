-- +goose Up

-- Additive: a process of the version before, which has the file open while this runs, goes on. It
-- names its columns, so an endpoint it makes gets the defaults (no limit), and one it changes keeps
-- the limit it has. (It cannot open the file anew: Open refuses a schema it does not know.)
ALTER TABLE endpoints ADD COLUMN rate_per_second REAL    NOT NULL DEFAULT 0; -- 0 for no limit
ALTER TABLE endpoints ADD COLUMN rate_burst      INTEGER NOT NULL DEFAULT 0; -- 0 for no limit

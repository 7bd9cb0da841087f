-- +goose Up
ALTER TABLE endpoints ADD COLUMN owner TEXT NOT NULL DEFAULT ''; -- '' when it is not said

-- +goose Up
ALTER TABLE endpoints ADD COLUMN owner text NOT NULL DEFAULT ''; -- '' when it is not said

-- +goose Up
ALTER TABLE endpoints ADD COLUMN owner text NOT NULL DEFAULT ''; -- '' when it is not said
CREATE INDEX endpoints_by_owner ON endpoints (tenant, owner, id) WHERE owner <> '';

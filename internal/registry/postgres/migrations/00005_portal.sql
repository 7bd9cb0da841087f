-- +goose Up

-- Links that let the owners of endpoints look after them for a while. What stands here proves nothing: who has
-- a link has an id and what a key makes of it.
CREATE TABLE portal_links (
    tenant      text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL, -- in the order of their making
    endpoint_id text COLLATE "C" NOT NULL, -- '' for all of the owner's
    owner       text COLLATE "C" NOT NULL, -- '' for the one endpoint
    scopes      text             NOT NULL, -- JSON list
    made_by     text             NOT NULL,
    created_at  bigint           NOT NULL, -- microseconds since 1970
    expires_at  bigint           NOT NULL, -- likewise
    revoked_at  bigint           NOT NULL, -- likewise, 0 for never
    revoked_by  text             NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX portal_links_by_id ON portal_links (id);
CREATE INDEX portal_links_by_endpoint ON portal_links (tenant, endpoint_id, id);
CREATE INDEX portal_links_by_owner ON portal_links (tenant, owner, id);
CREATE INDEX portal_links_live ON portal_links (tenant, expires_at) WHERE revoked_at = 0;
CREATE INDEX portal_links_by_end ON portal_links (expires_at); -- for deleting the oldest

-- How a tenant shows the portal.
CREATE TABLE portal_settings (
    tenant     text COLLATE "C" NOT NULL PRIMARY KEY,
    origins    text             NOT NULL, -- JSON list, '' for none
    theme      text             NOT NULL, -- JSON, '' for the usual one
    updated_at bigint           NOT NULL  -- microseconds since 1970
);

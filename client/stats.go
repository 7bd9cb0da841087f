package client

import (
	"net/http"

	"hookloop/api"
)

// Stats shows how the tenant's endpoints do: which are busiest, slowest, failing, held, and what
// waits.
func (c *Client) Stats(query api.TenantStatsQuery) Call[api.TenantStats] {
	return call[api.TenantStats](c.scope, http.MethodGet, "stats").asking(query)
}

// Undelivered lists what has not been delivered yet, and why, over all endpoints.
func (c *Client) Undelivered(query api.UndeliveredQuery) List[api.Undelivered] {
	return list[api.Undelivered](c.scope, query, "undelivered")
}

package client

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// consoleLink is the answer of /console/link.
type consoleLink struct {
	Path string `json:"path"`
}

// ConsoleLink gives an address that signs a browser in to the console, as whom the client's token
// speaks for, and opens the tenant's page. It is good for two minutes, and as secret as the token
// meanwhile.
func (c *Client) ConsoleLink(ctx context.Context) (string, error) {
	tenant := strings.TrimPrefix(c.Events.path, tenants)
	link, err := Call[consoleLink]{transport: c.transport, request: request{
		method: http.MethodPost, path: "/console/link", query: url.Values{"next": {"/console/t/" + tenant}},
	}}.Do(ctx)
	if err != nil {
		return "", err
	}
	return c.transport.base + link.Path, nil
}

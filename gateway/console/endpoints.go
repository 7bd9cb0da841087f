package console

import (
	"net/url"

	"hookloop/api"
	"hookloop/client"
)

// listPage is one page of a list.
type listPage[T any] struct {
	Entries []T
	Next    string // the address of the next page; empty: this is the last
}

// pageOf makes a page of an answer.
func pageOf[T any](v *visit, answer client.Page[T]) listPage[T] {
	p := listPage[T]{Entries: answer.Data}
	if answer.NextCursor != nil {
		query := v.r.URL.Query()
		query.Del("said")
		query.Set("cursor", *answer.NextCursor)
		p.Next = v.r.URL.Path + "?" + query.Encode()
	}
	return p
}

func (v *visit) page() api.PageQuery {
	return api.PageQuery{Limit: shown, Cursor: v.r.URL.Query().Get("cursor")}
}

func (c *Console) endpoints(v *visit) error {
	found, err := v.api.Endpoints.List(api.EndpointQuery{PageQuery: v.page()}).Page().Do(v.r.Context())
	if err != nil {
		return err
	}
	return c.show(v, "endpoints", "Endpoints", pageOf(v, found))
}

// endpointPage is one endpoint, how it does and what can be decided.
type endpointPage struct {
	Endpoint api.Endpoint
	Approval *api.Approval // nil: it never failed for long, or the token may not see it
	Asked    bool          // a decision is awaited
}

func (c *Console) endpoint(v *visit) error {
	p, err := c.readEndpoint(v.r.Context(), v, v.r.PathValue("endpoint"))
	if err != nil {
		return err
	}
	return c.show(v, "endpoint", titleOf(p.Endpoint), p)
}

// titleOf is how people call an endpoint.
func titleOf(e api.Endpoint) string {
	if e.Description != "" {
		return e.Description
	}
	return host(e.URL)
}

// host is what tells most about a URL.
func host(of string) string {
	u, err := url.Parse(of)
	if err != nil || u.Host == "" {
		return of
	}
	return u.Host
}

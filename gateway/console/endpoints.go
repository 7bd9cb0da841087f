package console

import (
	"cmp"
	"context"
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
		p.Next = with(v.r.URL.RequestURI(), "cursor", *answer.NextCursor)
	}
	return p
}

// with is an address that asks for one thing more, and no more says what became of a button; an
// empty value asks for nothing.
func with(address, key, value string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	query := u.Query()
	query.Del("said")
	query.Del(key)
	if value != "" {
		query.Set(key, value)
	}
	u.RawQuery = query.Encode()
	return u.RequestURI()
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

	Since    string
	Stats    api.EndpointStats
	Charts   []chart
	Attempts []api.AttemptItem // the latest
}

// latest is how many attempts an endpoint's page has.
const latest = 10

func (c *Console) endpoint(v *visit) error {
	id, since := v.r.PathValue("endpoint"), sinceOf(v.r, "24h")
	var p endpointPage
	var stats api.EndpointStats
	var attempts client.Page[api.AttemptItem]
	err := Together(v.r.Context(),
		func(ctx context.Context) (err error) {
			p, err = c.readEndpoint(ctx, v, id)
			return err
		},
		func(ctx context.Context) (err error) {
			stats, err = v.api.Endpoints.Stats(id, api.StatsQuery{Since: since}).Do(ctx)
			return err
		},
		func(ctx context.Context) (err error) {
			if v.who.Holds(api.EventsRead) {
				attempts, err = v.api.Endpoints.Attempts(id, api.AttemptQuery{PageQuery: api.PageQuery{Limit: latest}}).Page().Do(ctx)
			}
			return err
		},
	)
	if err != nil {
		return err
	}
	p.Since, p.Stats, p.Attempts = since, stats, attempts.Data
	p.Charts = charts(stats.StatsPeriod, stats.Buckets)
	return c.show(v, "endpoint", titleOf(p.Endpoint), p)
}

// attemptsPage lists the attempts at an endpoint, the latest first.
type attemptsPage struct {
	listPage[api.AttemptItem]

	EndpointID string
	Query      api.AttemptQuery
}

func (c *Console) attempts(v *visit) error {
	id, q := v.r.PathValue("endpoint"), v.r.URL.Query()
	query := api.AttemptQuery{Failed: q.Get("failed") != "", After: trimmed(q.Get("after")), Before: trimmed(q.Get("before")), PageQuery: v.page()}
	found, err := v.api.Endpoints.Attempts(id, query).Page().Do(v.r.Context())
	if err != nil {
		return err
	}
	return c.show(v, "attempts", "Attempts", attemptsPage{listPage: pageOf(v, found), EndpointID: id, Query: query})
}

// titleOf is how people call an endpoint.
func titleOf(e api.Endpoint) string { return cmp.Or(e.Description, host(e.URL)) }

// host is what tells most about a URL.
func host(of string) string {
	u, err := url.Parse(of)
	if err != nil || u.Host == "" {
		return of
	}
	return u.Host
}

package console

import (
	"context"
	"slices"
	"sync"

	"hookloop/api"
	"hookloop/client"
)

// shown is how many entries a page lists; the next ones are a click away.
const shown = 50

// troubled is an endpoint that needs a person's eye, and what is known of why.
type troubled struct {
	Endpoint api.Endpoint
	Approval *api.Approval // nil: it has no episode that goes on
}

// overviewPage is a tenant at a glance.
type overviewPage struct {
	Asked    []troubled // people are asked
	Trouble  []troubled // they fail, are tried, let go, or get nothing
	Recent   []api.EventItem
	Episodes bool // the token may see approvals
	More     bool // there are more endpoints than were looked at
}

// overview is what waits for a decision first, then what is in trouble, then what came last.
func (c *Console) overview(v *visit) error {
	var (
		p        overviewPage
		eps      client.Page[api.Endpoint]
		episodes client.Page[api.Approval]
		recent   client.Page[api.EventItem]
	)
	err := together(v.r.Context(),
		func(ctx context.Context) (err error) {
			eps, err = v.api.Endpoints.List(api.EndpointQuery{PageQuery: api.PageQuery{Limit: maxShown}}).Page().Do(ctx)
			return err
		},
		func(ctx context.Context) (err error) {
			if !v.who.Holds(api.ApprovalsRead) {
				return nil
			}
			p.Episodes = true
			episodes, err = v.api.Approvals.List(api.ApprovalQuery{PageQuery: api.PageQuery{Limit: maxShown}}).Page().Do(ctx)
			return err
		},
		func(ctx context.Context) (err error) {
			if !v.who.Holds(api.EventsRead) {
				return nil
			}
			recent, err = v.api.Events.List(api.EventQuery{PageQuery: api.PageQuery{Limit: 10}}).Page().Do(ctx)
			return err
		},
	)
	if err != nil {
		return err
	}
	p.Recent, p.More = recent.Data, eps.NextCursor != nil
	p.sort(eps.Data, episodes.Data)
	v.view.Live = true
	return c.show(v, "overview", "Health", p)
}

// maxShown is the longest page of a list, in entries.
const maxShown = 250

// sort tells those that wait for a person from those that are otherwise in trouble.
func (p *overviewPage) sort(endpoints []api.Endpoint, episodes []api.Approval) {
	for _, e := range endpoints {
		t := troubled{Endpoint: e}
		if i := slices.IndexFunc(episodes, func(a api.Approval) bool { return a.EndpointID == e.ID }); i >= 0 {
			t.Approval = &episodes[i]
		}
		switch {
		case t.Approval != nil && t.Approval.Status == api.ApprovalAwaiting:
			p.Asked = append(p.Asked, t)
		case t.Approval != nil || e.State != api.EndpointActive:
			p.Trouble = append(p.Trouble, t)
		}
	}
}

// together asks several things at once, and gives the first error.
func together(ctx context.Context, asks ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for _, ask := range asks {
		all.Go(func() {
			if err := ask(ctx); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

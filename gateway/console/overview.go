package console

import (
	"cmp"
	"context"
	"slices"

	"hookloop/api"
	"hookloop/client"
)

const (
	// shown is how many entries a page lists; the next ones are a click away.
	shown = 50
	// maxShown is the longest page of a list of the API, in entries.
	maxShown = 250
	// asked is how many endpoints that wait for a person have a card; the others are named.
	asked = 12
	// looked is how many endpoints each list of the statistics has.
	looked = 50
)

// troubled is an endpoint that needs a person's eye, and what is known of why.
type troubled struct {
	ID       string
	Name     *api.EndpointName // nil: it was deleted
	Line     *api.EndpointLine // nil: the statistics do not list it
	Approval *api.Approval     // nil: it has no episode that goes on
}

// overviewPage is a tenant at a glance.
type overviewPage struct {
	Since   string             // how far back the figures go, as it was asked for
	Stats   *api.TenantStats   // nil: the token may not see endpoints
	Charts  []chart            // of the same time
	Asked   []troubled         // people are asked
	Further []troubled         // so they are about these, which have no room for a card
	Trouble []troubled         // they fail, are tried, let go, or get nothing
	Mended  []api.EndpointLine // they failed in that time, and take events again
	Recent  []api.EventItem
	More    bool // there are more in trouble than were looked at
}

// overview is the figures, then what waits for a decision, then what is in trouble, then what came
// last.
func (c *Console) overview(v *visit) error {
	p := overviewPage{Since: sinceOf(v.r, "1h")}
	var episodes client.Page[api.Approval]
	err := Together(v.r.Context(),
		func(ctx context.Context) error {
			if !v.who.Holds(api.EndpointsRead) {
				return nil
			}
			s, err := v.api.Stats(api.TenantStatsQuery{StatsQuery: api.StatsQuery{Since: p.Since}, Top: looked}).Do(ctx)
			p.Stats = &s
			return err
		},
		func(ctx context.Context) (err error) {
			if !v.who.Holds(api.ApprovalsRead) {
				return nil
			}
			episodes, err = v.api.Approvals.List(api.ApprovalQuery{PageQuery: api.PageQuery{Limit: maxShown}}).Page().Do(ctx)
			return err
		},
		func(ctx context.Context) error {
			if !v.who.Holds(api.EventsRead) {
				return nil
			}
			recent, err := v.api.Events.List(api.EventQuery{PageQuery: api.PageQuery{Limit: 10}}).Page().Do(ctx)
			p.Recent = recent.Data
			return err
		},
	)
	if err != nil {
		return err
	}
	p.More = episodes.NextCursor != nil
	p.sort(episodes.Data)
	if p.Stats != nil {
		p.Charts = charts(p.Stats.StatsPeriod, p.Stats.Buckets)
	}
	v.view.Live = true
	return c.show(v, "overview", "Health", p)
}

// sort tells those that wait for a person from those that are otherwise in trouble.
func (p *overviewPage) sort(episodes []api.Approval) {
	all := map[string]*troubled{}
	var order []*troubled
	about := func(id string) *troubled {
		if all[id] == nil {
			all[id] = &troubled{ID: id}
			order = append(order, all[id])
		}
		return all[id]
	}
	for i, a := range episodes {
		t := about(a.EndpointID)
		t.Name, t.Approval = a.Endpoint, &episodes[i]
	}
	if s := p.Stats; s != nil {
		p.More = p.More || len(s.Failing) == looked || len(s.Held) == looked
		for i := range s.Failing {
			if l := &s.Failing[i]; failsNow(*l) || all[l.EndpointID] != nil {
				about(l.EndpointID).line(l)
			} else {
				p.Mended = append(p.Mended, *l)
			}
		}
		for i := range s.Held {
			about(s.Held[i].EndpointID).line(&s.Held[i])
		}
	}
	for _, t := range order {
		if t.asked() {
			p.Asked = append(p.Asked, *t)
		} else {
			p.Trouble = append(p.Trouble, *t)
		}
	}
	slices.SortStableFunc(p.Asked, func(a, b troubled) int { return a.Approval.DecideBy.Compare(*b.Approval.DecideBy) })
	slices.SortStableFunc(p.Trouble, func(a, b troubled) int { return -cmp.Compare(a.waiting(), b.waiting()) })
	p.Further = p.Asked[min(asked, len(p.Asked)):]
	p.Asked = p.Asked[:len(p.Asked)-len(p.Further)]
}

// asked says whether a decision is awaited.
func (t troubled) asked() bool {
	return t.Approval != nil && t.Approval.Status == api.ApprovalAwaiting && t.Approval.DecideBy != nil
}

func (t *troubled) line(l *api.EndpointLine) { t.Name, t.Line = &l.EndpointName, l }

func (t troubled) waiting() int {
	switch {
	case t.Line != nil && t.Line.Waiting != nil:
		return *t.Line.Waiting
	case t.Approval != nil && t.Approval.Waiting != nil:
		return *t.Approval.Waiting
	}
	return 0
}

// Title is how people call the endpoint.
func (t troubled) Title() string { return nameOr(t.Name, t.ID) }

// What says in words how the endpoint does.
func (t troubled) What() string {
	l := t.Line
	switch {
	case l == nil, l.State != api.EndpointActive, l.Took == 0 && l.Attempts == 0:
		return ""
	case l.Took == 0 && l.Fails == 0:
		return "refuses everything"
	case l.Took == 0:
		return "fails always"
	case l.Refuses > l.Fails:
		return "refuses some"
	}
	return "fails now and then"
}

// failsNow says whether an endpoint's latest attempt was not taken, or it was reported failing and
// has taken nothing since.
func failsNow(l api.EndpointLine) bool {
	if l.ReportedFailing {
		return true
	}
	return l.LastError != nil && (l.LastSuccessAt == nil || l.LastError.At.After(*l.LastSuccessAt))
}

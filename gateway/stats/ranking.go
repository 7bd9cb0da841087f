package stats

import (
	"cmp"
	"context"
	"slices"

	"hookloop/api"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// report is what statistics of a tenant are made of.
type report struct {
	tenant  string
	span    span
	names   []webhook.EndpointName
	tallies map[string]attemptlog.Tally
	latest  map[string]attemptlog.Latest
	census  *orchestrator.Census // nil: it is not known now
}

func (r *report) read(ctx context.Context, from Log) (err error) {
	if r.names, err = from.EndpointNames(ctx, r.tenant, nil); err != nil {
		return err
	}
	if r.tallies, err = from.AttemptTallies(ctx, r.tenant, r.span.bucket, r.span.since, r.span.until, nil); err != nil {
		return err
	}
	r.latest, err = from.LatestAttempts(ctx, r.tenant, nil)
	return err
}

func (r *report) counts() (c api.EndpointCounts) {
	for _, n := range r.names {
		switch n.State {
		case webhook.EndpointActive:
			c.Active++
		case webhook.EndpointHeld:
			c.Held++
		case webhook.EndpointPaused:
			c.Paused++
		case webhook.EndpointDisabled:
			c.Disabled++
		}
	}
	return c
}

// lines has all endpoints, by id. Those that were deleted count in the sum alone.
func (r *report) lines() []api.EndpointLine {
	all := make([]api.EndpointLine, len(r.names))
	for i, n := range r.names {
		latest := r.latest[n.ID]
		l := api.EndpointLine{
			EndpointID: n.ID, EndpointName: nameOf(n), StateReason: n.StateReason, ReportedFailing: !n.BreakerOpenedAt.IsZero(),
			Traffic: traffic(r.tallies[n.ID], r.span.until.Sub(r.span.since)), LastSuccessAt: webhook.TimeOrNone(latest.TookAt), LastError: lastError(latest),
		}
		if r.census != nil {
			b := r.census.Endpoints[n.ID]
			l.Waiting, l.OldestAt = &b.Waiting, webhook.TimeOrNone(b.Oldest)
		}
		all[i] = l
	}
	return all
}

// first gives the first few of the lines that are meant, in an order.
func first(lines []api.EndpointLine, most int, meant func(api.EndpointLine) bool, order func(a, b api.EndpointLine) int) []api.EndpointLine {
	found := []api.EndpointLine{}
	for _, l := range lines {
		if meant(l) {
			found = append(found, l)
		}
	}
	slices.SortStableFunc(found, order)
	return found[:min(most, len(found))]
}

func attempted(l api.EndpointLine) bool { return l.Attempts > 0 }

// failing is an endpoint that did not take everything, or was reported failing and has taken
// nothing since.
func failing(l api.EndpointLine) bool {
	return l.State == webhook.EndpointActive && (l.Took < l.Attempts || l.ReportedFailing)
}

func byFailure(a, b api.EndpointLine) int {
	return cmp.Or(cmp.Compare(success(a), success(b)), -cmp.Compare(a.Attempts-a.Took, b.Attempts-b.Took))
}

// success of an endpoint that had no attempts is none: its breaker is open.
func success(l api.EndpointLine) float64 {
	if l.Success == nil {
		return 0
	}
	return *l.Success
}

func stopped(l api.EndpointLine) bool {
	return l.State == webhook.EndpointHeld || l.State == webhook.EndpointPaused
}

func byWaiting(a, b api.EndpointLine) int { return -cmp.Compare(waitingOf(a), waitingOf(b)) }

func waitingOf(l api.EndpointLine) int {
	if l.Waiting == nil {
		return 0
	}
	return *l.Waiting
}

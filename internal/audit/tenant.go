package audit

import (
	"context"
	"slices"
	"strings"
	"time"

	"hookloop/internal/webhook"
)

// Period begins at one time and ends before another: two that meet have no line in common, and miss
// none. A zero time is no bound.
type Period struct{ After, Before time.Time }

// slack is how far clocks may be apart: an attempt has its worker's time, a run its server's.
const slack = time.Minute

// widened is the period in which the runs lie. What would lie beyond the years 1 to 9999 is no
// bound.
func (p Period) widened() Period {
	if p.After = p.After.Add(-slack).UTC(); p.After.Year() < 1 {
		p.After = time.Time{}
	}
	if p.Before.IsZero() {
		return p
	}
	if p.Before = p.Before.Add(slack).UTC(); p.Before.Year() > 9999 {
		p.Before = time.Time{}
	}
	return p
}

func (p Period) holds(at time.Time) bool {
	return !at.Before(p.After) && (p.Before.IsZero() || at.Before(p.Before))
}

// Tenant tells what happened in a period to all that is a tenant's: events, deliveries, recoveries,
// and the approvals of endpoints. A part has what a hundred runs of workflows did, the oldest line
// first. The first parts have those that still run, the next ones those that have ended, the latest
// first; one that ends between two parts may be told of in both.
func (a *Audits) Tenant(ctx context.Context, tenant string, period Period, after []byte) (p Page, err error) {
	wide := period.widened()
	listed, next, err := a.histories.During(ctx, tenant, wide.After, wide.Before, pageSize, after)
	if err != nil {
		return p, err
	}
	p.Next = next
	err = a.readAll(ctx, runsOf(listed), &p)
	p.Lines = slices.DeleteFunc(p.Lines, func(l Line) bool { return !period.holds(l.At) })
	return p, err
}

// eventIn is the event that a workflow is about, by its id: an event's own or a delivery's.
func eventIn(workflowID string) string {
	parts := strings.Split(workflowID, "/") // kind, tenant, …
	if len(parts) < 3 || !strings.HasPrefix(parts[2], webhook.EventPrefix) {
		return ""
	}
	return parts[2]
}

package audit

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"hookloop/internal/webhook"
)

// slack is how far clocks may be apart: an attempt has its worker's time, a run its server's.
const slack = time.Minute

// widened is the period in which the runs lie. What would lie beyond the years 1 to 9999 is no
// bound.
func widened(q webhook.AuditQuery) (after, before time.Time) {
	if after = q.After.Add(-slack).UTC(); after.Year() < 1 {
		after = time.Time{}
	}
	if q.Before.IsZero() {
		return after, before
	}
	if before = q.Before.Add(slack).UTC(); before.Year() > 9999 {
		before = time.Time{}
	}
	return after, before
}

// The two halves of a tenant's lines, as the first byte of a place says: the change log up to a
// time, and histories from a page on.
const (
	inLog       = 'L'
	inHistories = 'H'
)

// Tenant tells what happened to all that is a tenant's, as far as a query asks: settings, events,
// deliveries, recoveries, and the approvals of endpoints. The first parts have lines of the change
// log. A further part has what a hundred runs of workflows did, each with the oldest line first:
// those that still run, then those that have ended, the latest first; one that ends between two
// parts may be told of in both.
func (a *Audits) Tenant(ctx context.Context, tenant string, q webhook.AuditQuery, after []byte) (Page, error) {
	if len(after) > 0 && after[0] == inHistories {
		return a.ofHistories(ctx, tenant, q, after[1:])
	}
	from := time.Time{}
	if micros, err := strconv.ParseInt(string(bytes.TrimPrefix(after, []byte{inLog})), 10, 64); err == nil {
		from = time.UnixMicro(micros)
	}
	lines, more, err := a.changesOf(ctx, tenant, q, from, logLines*runsIn(q))
	if err != nil {
		return Page{}, err
	}
	if more {
		return Page{Lines: lines, Next: strconv.AppendInt([]byte{inLog}, lines[len(lines)-1].At.UnixMicro(), 10)}, nil
	}
	p, err := a.ofHistories(ctx, tenant, q, nil)
	p.Lines = append(lines, p.Lines...)
	sortLines(p.Lines)
	return p, err
}

func runsIn(q webhook.AuditQuery) int { return cmp.Or(q.Runs, pageSize) }

func (a *Audits) ofHistories(ctx context.Context, tenant string, q webhook.AuditQuery, page []byte) (p Page, err error) {
	after, before := widened(q)
	listed, next, err := a.histories.During(ctx, tenant, after, before, runsIn(q), page)
	if err != nil {
		return p, err
	}
	if len(next) > 0 {
		p.Next = append([]byte{inHistories}, next...)
	}
	err = a.readAll(ctx, runsOf(listed), &p)
	p.Lines = slices.DeleteFunc(p.Lines, func(l Line) bool { return !q.Holds(l) })
	sortLines(p.Lines)
	return p, err
}

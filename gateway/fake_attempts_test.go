package gateway_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"hookloop/internal/attemptlog"
	"hookloop/internal/webhook"
)

// fakeAttempts keeps an attempt log in memory, slowly. Names are its registry's.
type fakeAttempts struct {
	*fakeRegistry

	rows []attemptlog.Row
}

func (f *fakeAttempts) Attempts(_ context.Context, q attemptlog.Query) (all []attemptlog.Row, err error) {
	for _, r := range f.newest() {
		switch {
		case r.Tenant != q.Tenant, r.EndpointID != q.EndpointID, !r.Attempted(), q.Failed && r.Outcome == webhook.Took:
		case r.At.Before(q.After), !q.Before.IsZero() && !r.At.Before(q.Before), !q.From.At.IsZero() && !before(r.Position(), q.From):
		default:
			all = append(all, r)
		}
	}
	return all[:min(q.Limit, len(all))], f.down
}

func before(a, b attemptlog.Position) bool {
	return a.At.Before(b.At) || a.At.Equal(b.At) && a.EventID < b.EventID
}

func (f *fakeAttempts) newest() []attemptlog.Row {
	all := slices.Clone(f.rows)
	slices.SortStableFunc(all, func(a, b attemptlog.Row) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return strings.Compare(b.EventID, a.EventID)
	})
	return all
}

func (f *fakeAttempts) EventsAt(_ context.Context, tenant, endpointID string, from attemptlog.Position, limit int) (all []attemptlog.Seen, err error) {
	for _, r := range f.newest() {
		if r.Tenant == tenant && r.EndpointID == endpointID && r.Number < 2 && (from.At.IsZero() || before(r.Position(), from)) {
			all = append(all, attemptlog.Seen{EventID: r.EventID, EventType: r.EventType, At: r.At})
		}
	}
	return all[:min(limit, len(all))], f.down
}

func (f *fakeAttempts) AttemptTallies(_ context.Context, tenant string, span time.Duration, since, until time.Time, ids []string) (map[string]attemptlog.Tally, error) {
	all := map[string]attemptlog.Tally{}
	for _, r := range f.rows {
		if at := r.At.Truncate(span); r.Tenant == tenant && !at.Before(since) && at.Before(until) && (ids == nil || slices.Contains(ids, r.EndpointID)) {
			t := all[r.EndpointID]
			t.Add(r, 1)
			all[r.EndpointID] = t
		}
	}
	return all, f.down
}

func (f *fakeAttempts) AttemptCounts(_ context.Context, tenant, endpointID string, span time.Duration, since, until time.Time) (all []attemptlog.Count, err error) {
	for at := since; at.Before(until); at = at.Add(span) {
		c := attemptlog.Count{Tenant: tenant, EndpointID: endpointID, Span: span, At: at}
		for _, r := range f.rows {
			if r.Tenant == tenant && (endpointID == "" || r.EndpointID == endpointID) && r.At.Truncate(span).Equal(at) {
				c.Add(r, 1)
			}
		}
		if c.Attempts() > 0 {
			all = append(all, c)
		}
	}
	return all, f.down
}

func (f *fakeAttempts) LatestAttempts(_ context.Context, tenant string, ids []string) (map[string]attemptlog.Latest, error) {
	all := map[string]attemptlog.Latest{}
	for _, r := range f.rows {
		if r.Tenant == tenant && (ids == nil || slices.Contains(ids, r.EndpointID)) {
			l := all[r.EndpointID]
			l.Add(r)
			all[r.EndpointID] = l
		}
	}
	return all, f.down
}

func (f *fakeAttempts) EndpointNames(ctx context.Context, tenant string, ids []string) (all []webhook.EndpointName, err error) {
	found, err := f.Endpoints(ctx, tenant, webhook.EndpointQuery{Limit: 1000})
	for _, e := range found {
		if ids == nil || slices.Contains(ids, e.ID) {
			all = append(all, webhook.EndpointName{
				ID: e.ID, URL: e.URL, Description: e.Description, State: e.State, StateReason: e.StateReason, BreakerOpenedAt: e.BreakerOpenedAt,
			})
		}
	}
	return all, err
}

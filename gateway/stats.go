package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

func (g *Gateway) statsRoutes(to huma.API) {
	route(g, to, operation{
		id: "get-endpoint-stats", tag: tagEndpoints, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/endpoints/{id}/stats", scope: api.EndpointsRead,
		summary: "How an endpoint does",
		text:    "Attempts, how many of them it took and how long they lasted, in all and by the minute or hour.",
	}, g.endpointStats)
	route(g, to, operation{
		id: "get-stats", tag: tagEndpoints, cost: costly, method: http.MethodGet, path: "/v1/tenants/{tenant}/stats", scope: api.EndpointsRead,
		summary: "How a tenant's endpoints do",
		text: "Attempts of all endpoints, which are busiest, slowest, failing, held, and what has not been delivered yet. " +
			"Attempts are read from the attempt log, a second behind, the backlog from Temporal's lists, some seconds behind.",
	}, g.tenantStats)
}

// span is the time that statistics are of.
type span struct {
	since, until time.Time
	bucket       time.Duration
	now          time.Time
}

// spanOf reads what was asked for; without a beginning it is usual before the end.
func (g *Gateway) spanOf(q api.StatsQuery, usual time.Duration) (s span, err error) {
	s.now = g.now().UTC()
	if s.since, err = moment("since", q.Since, s.now); err != nil {
		return s, err
	}
	if s.until, err = moment("until", q.Until, s.now); err != nil {
		return s, err
	}
	if s.until.IsZero() || s.until.After(s.now) {
		s.until = s.now
	}
	if s.since.IsZero() {
		s.since = s.until.Add(-usual)
	}
	if !s.since.Before(s.until) {
		return s, webhook.Invalidf("since", "must lie before until")
	}
	s.bucket = attemptlog.Hour
	if !s.since.Before(s.now.Add(-attemptlog.KeepMinutes)) {
		s.bucket = attemptlog.Minute
	}
	s.since = s.since.Truncate(s.bucket)
	return s, nil
}

func (s span) shown() api.StatsPeriod {
	return api.StatsPeriod{Since: s.since, Until: s.until, Bucket: api.Duration(s.bucket)}
}

// traffic shows what the attempts of a while came to.
func traffic(t attemptlog.Tally, over time.Duration) api.Traffic {
	shown := api.Traffic{Attempts: t.Attempts(), Took: t.Took, Fails: t.Fails, Refuses: t.Refuses}
	if over > 0 {
		shown.PerMinute = float64(t.Attempts()) / over.Minutes()
	}
	if t.Attempts() > 0 {
		success, p50, p95 := t.Success(), t.Quantile(0.5), t.Quantile(0.95)
		shown.Success, shown.P50MS, shown.P95MS = &success, &p50, &p95
	}
	return shown
}

type endpointStats struct {
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	api.StatsQuery
}

func (g *Gateway) endpointStats(ctx context.Context, in *endpointStats) (*answerOf[api.EndpointStats], error) {
	s, err := g.spanOf(in.StatsQuery, 24*time.Hour)
	if err != nil {
		return nil, err
	}
	e, err := g.endpoint(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, err
	}
	all, buckets, err := g.buckets(ctx, in.Tenant, in.ID, s)
	if err != nil {
		return nil, err
	}
	activity, err := g.activity(ctx, in.Tenant, []string{e.ID})
	if err != nil {
		return nil, err
	}
	return &answerOf[api.EndpointStats]{Body: api.EndpointStats{
		StatsPeriod: s.shown(), Traffic: traffic(all, s.until.Sub(s.since)), Activity: *activity[e.ID], Buckets: buckets,
	}}, nil
}

// buckets gives what attempts came to, at one endpoint or, empty, at all of a tenant's.
func (g *Gateway) buckets(ctx context.Context, tenant, endpointID string, s span) (all attemptlog.Tally, shown []api.StatsBucket, err error) {
	counts, err := g.attempts.AttemptCounts(ctx, tenant, endpointID, s.bucket, s.since, s.until)
	if err != nil {
		return all, nil, fmt.Errorf("statistics: %w", problem.Registry(err))
	}
	shown = make([]api.StatsBucket, len(counts))
	for i, c := range counts {
		all.Plus(c.Tally)
		over := min(s.bucket, s.until.Sub(c.At)) // the last one has not ended
		shown[i] = api.StatsBucket{At: c.At, Traffic: traffic(c.Tally, over)}
	}
	return all, shown, nil
}

type tenantStats struct {
	Tenant string `path:"tenant"`
	api.TenantStatsQuery
}

func (g *Gateway) tenantStats(ctx context.Context, in *tenantStats) (*answerOf[api.TenantStats], error) {
	s, err := g.spanOf(in.StatsQuery, time.Hour)
	if err != nil {
		return nil, err
	}
	r := &report{tenant: in.Tenant, span: s}
	if err := r.read(ctx, g.attempts); err != nil {
		return nil, fmt.Errorf("statistics: %w", problem.Registry(err))
	}
	r.census = g.census(ctx, in.Tenant)
	shown := api.TenantStats{StatsPeriod: s.shown(), Backlog: backlog(r.census)}
	all, buckets, err := g.buckets(ctx, in.Tenant, "", s)
	if err != nil {
		return nil, err
	}
	shown.Buckets = buckets
	shown.Traffic = traffic(all, s.until.Sub(s.since))
	shown.Endpoints = r.counts()
	lines := r.lines()
	shown.Busiest = first(lines, in.Top, attempted, func(a, b api.EndpointLine) int { return -cmp.Compare(a.Attempts, b.Attempts) })
	shown.Slowest = first(lines, in.Top, attempted, func(a, b api.EndpointLine) int { return -cmp.Compare(*a.P95MS, *b.P95MS) })
	shown.Failing = first(lines, in.Top, failing, byFailure)
	shown.Held = first(lines, in.Top, stopped, byWaiting)
	return &answerOf[api.TenantStats]{Body: shown}, nil
}

// report is what statistics of a tenant are made of.
type report struct {
	tenant  string
	span    span
	names   []webhook.EndpointName
	tallies map[string]attemptlog.Tally
	latest  map[string]attemptlog.Latest
	census  *orchestrator.Census // nil: it is not known now
}

func (r *report) read(ctx context.Context, from AttemptLog) (err error) {
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
			Traffic: traffic(r.tallies[n.ID], r.span.until.Sub(r.span.since)), LastSuccessAt: timeOrNone(latest.TookAt), LastError: lastError(latest),
		}
		if r.census != nil {
			b := r.census.Endpoints[n.ID]
			l.Waiting, l.OldestAt = &b.Waiting, timeOrNone(b.Oldest)
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

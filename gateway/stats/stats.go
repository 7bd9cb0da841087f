// Package stats says how endpoints do, now and over a while: it makes figures of the attempt log
// and of what waits in Temporal, and decides which endpoints are busiest, slowest, failing or held.
// A figure that Temporal cannot tell now is left out. The gateway's lists and reports show them.
package stats

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/gateway/wellformed"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// Log is what the attempt log counts, and what people know endpoints by. Its errors mean that the
// registry is out of reach.
type Log interface {
	// AttemptTallies sums up the spans that began in [since, until), by endpoint: those named or,
	// nil, all.
	AttemptTallies(ctx context.Context, tenant string, span time.Duration, since, until time.Time, ids []string) (map[string]attemptlog.Tally, error)
	// AttemptCounts gives each of those spans: of one endpoint or, empty, of all.
	AttemptCounts(ctx context.Context, tenant, endpointID string, span time.Duration, since, until time.Time) ([]attemptlog.Count, error)
	LatestAttempts(ctx context.Context, tenant string, ids []string) (map[string]attemptlog.Latest, error)
	// EndpointNames gives those of the ids or, nil, of all.
	EndpointNames(ctx context.Context, tenant string, ids []string) ([]webhook.EndpointName, error)
}

// Waiting counts what has not been delivered yet; orchestrator.Waiting does.
type Waiting interface {
	Census(ctx context.Context, tenant string) (orchestrator.Census, error)
}

// Reader makes the figures.
type Reader struct {
	log     Log
	waiting Waiting
	now     func() time.Time
	logger  *slog.Logger
}

// New takes all four: none may be nil.
func New(log Log, waiting Waiting, now func() time.Time, logger *slog.Logger) *Reader {
	return &Reader{log: log, waiting: waiting, now: now, logger: logger}
}

// Endpoint gives the statistics of one endpoint; without a beginning, of a day.
func (r *Reader) Endpoint(ctx context.Context, tenant, id string, q api.StatsQuery) (api.EndpointStats, error) {
	s, err := r.spanOf(q, 24*time.Hour)
	if err != nil {
		return api.EndpointStats{}, err
	}
	all, buckets, err := r.buckets(ctx, tenant, id, s)
	if err != nil {
		return api.EndpointStats{}, err
	}
	activity, err := r.Activity(ctx, tenant, []string{id})
	if err != nil {
		return api.EndpointStats{}, err
	}
	return api.EndpointStats{StatsPeriod: s.shown(), Traffic: traffic(all, s.until.Sub(s.since)), Activity: *activity[id], Buckets: buckets}, nil
}

// Tenant gives those of all endpoints; without a beginning, of an hour.
func (r *Reader) Tenant(ctx context.Context, tenant string, q api.TenantStatsQuery) (api.TenantStats, error) {
	s, err := r.spanOf(q.StatsQuery, time.Hour)
	if err != nil {
		return api.TenantStats{}, err
	}
	rep := &report{tenant: tenant, span: s}
	if err := rep.read(ctx, r.log); err != nil {
		return api.TenantStats{}, fmt.Errorf("statistics: %w", problem.Registry(err))
	}
	rep.census = r.census(ctx, tenant)
	shown := api.TenantStats{StatsPeriod: s.shown(), Backlog: backlog(rep.census), Endpoints: rep.counts()}
	all, buckets, err := r.buckets(ctx, tenant, "", s)
	if err != nil {
		return api.TenantStats{}, err
	}
	shown.Buckets, shown.Traffic = buckets, traffic(all, s.until.Sub(s.since))
	lines := rep.lines()
	shown.Busiest = first(lines, q.Top, attempted, func(a, b api.EndpointLine) int { return -cmp.Compare(a.Attempts, b.Attempts) })
	shown.Slowest = first(lines, q.Top, attempted, func(a, b api.EndpointLine) int { return -cmp.Compare(*a.P95MS, *b.P95MS) })
	shown.Failing = first(lines, q.Top, failing, byFailure)
	shown.Held = first(lines, q.Top, stopped, byWaiting)
	return shown, nil
}

// span is the time that statistics are of.
type span struct {
	since, until time.Time
	bucket       time.Duration
	now          time.Time
}

// spanOf reads what was asked for; without a beginning it is usual before the end.
func (r *Reader) spanOf(q api.StatsQuery, usual time.Duration) (s span, err error) {
	s.now = r.now().UTC()
	if s.since, err = wellformed.Moment("since", q.Since, s.now); err != nil {
		return s, err
	}
	if s.until, err = wellformed.Moment("until", q.Until, s.now); err != nil {
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

// buckets gives what attempts came to, at one endpoint or, empty, at all of a tenant's.
func (r *Reader) buckets(ctx context.Context, tenant, endpointID string, s span) (all attemptlog.Tally, shown []api.StatsBucket, err error) {
	counts, err := r.log.AttemptCounts(ctx, tenant, endpointID, s.bucket, s.since, s.until)
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

// Names gives what people know endpoints by. They are beside the answer, not the answer: a registry
// out of reach leaves them out.
func (r *Reader) Names(ctx context.Context, tenant string, ids []string) map[string]*api.EndpointName {
	if len(ids) == 0 {
		return nil
	}
	found, err := r.log.EndpointNames(ctx, tenant, slices.Compact(slices.Sorted(slices.Values(ids))))
	if err != nil {
		r.logger.Warn("endpoint names", slog.String("error", err.Error()))
	}
	all := make(map[string]*api.EndpointName, len(found))
	for _, n := range found {
		name := nameOf(n)
		all[n.ID] = &name
	}
	return all
}

func nameOf(n webhook.EndpointName) api.EndpointName {
	return api.EndpointName{Host: n.Host(), Description: n.Description, State: n.State}
}

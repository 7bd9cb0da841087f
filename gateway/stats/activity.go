package stats

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// censusTimeout bounds how long an answer waits for the backlog, which is beside it.
const censusTimeout = 3 * time.Second

// Activity tells of endpoints how they do now: three questions, however many endpoints there are.
func (r *Reader) Activity(ctx context.Context, tenant string, ids []string) (map[string]*api.Activity, error) {
	all := make(map[string]*api.Activity, len(ids))
	if len(ids) == 0 {
		return all, nil
	}
	now := r.now().UTC()
	since := now.Add(-time.Hour).Truncate(attemptlog.Minute)
	tallies, err := r.log.AttemptTallies(ctx, tenant, attemptlog.Minute, since, now, ids)
	if err != nil {
		return nil, fmt.Errorf("activity: %w", problem.Registry(err))
	}
	latest, err := r.log.LatestAttempts(ctx, tenant, ids)
	if err != nil {
		return nil, fmt.Errorf("activity: %w", problem.Registry(err))
	}
	census := r.census(ctx, tenant)
	for _, id := range ids {
		a := &api.Activity{
			LastHour: traffic(tallies[id], now.Sub(since)), LastSuccessAt: webhook.TimeOrNone(latest[id].TookAt), LastError: lastError(latest[id]),
		}
		if census != nil {
			b := census.Endpoints[id]
			a.Waiting, a.Held, a.OldestAt = &b.Waiting, &b.Held, webhook.TimeOrNone(b.Oldest)
		}
		all[id] = a
	}
	return all, nil
}

// census counts what waits; nil: Temporal cannot tell now. What the registry knows is no worse for
// that.
func (r *Reader) census(ctx context.Context, tenant string) *orchestrator.Census {
	ctx, cancel := context.WithTimeout(ctx, censusTimeout)
	defer cancel()
	c, err := r.waiting.Census(ctx, tenant)
	if err != nil {
		r.logger.Warn("backlog", slog.String("error", err.Error()))
		return nil
	}
	return &c
}

func backlog(c *orchestrator.Census) *api.Backlog {
	if c == nil {
		return nil
	}
	return &api.Backlog{
		Waiting: c.All.Waiting, Held: c.All.Held, Parked: c.All.Parked, OldestAt: webhook.TimeOrNone(c.All.Oldest), Whole: c.Whole, CountedAt: c.At.UTC(),
	}
}

func lastError(l attemptlog.Latest) *api.LastError {
	if l.FailedAt.IsZero() {
		return nil
	}
	return &api.LastError{At: l.FailedAt, StatusCode: l.StatusCode, Failure: l.Failure, Error: l.Error}
}

package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"hookloop/internal/webhook"
)

// The pace at which deferred deliveries are brought on their way to an endpoint that takes something again: slow
// first, for it may have just come up, and twice as many each second, until all should be on their way in time
// or the engine has enough to do. No faster than that: what piled up over minutes need not come in one.
const (
	firstRechecks  = 10  // a second
	mostRechecks   = 100 // a second
	recheckSeconds = 20
)

// RecheckDeferred gives every delivery that was deferred its turn, the oldest first. It ends early when the endpoint
// fails again, or takes nothing for another reason; it answers how many got their turn.
func (a *Approval) RecheckDeferred(ctx context.Context, of Subject) (int, error) {
	r := rechecker{approval: a, Subject: of, seen: map[string]bool{}, pace: rate.NewLimiter(firstRechecks, 1)}
	for pass := 0; ; pass++ {
		ids, err := a.Backlog.Waiting(ctx, of.Tenant, of.EndpointID)
		if err != nil {
			return r.given, err
		}
		fresh := r.unseen(ids)
		r.most = min(max(r.most, rate.Limit(len(fresh))/recheckSeconds, firstRechecks), mostRechecks)
		if len(fresh) == 0 && pass > 0 {
			return r.given, nil
		}
		goOn, err := r.give(ctx, fresh)
		if err != nil || !goOn {
			return r.given, err
		}
		if err := sleep(ctx, visible); err != nil {
			return r.given, err
		}
	}
}

type rechecker struct {
	Subject
	approval *Approval
	seen     map[string]bool
	given    int
	pace     *rate.Limiter
	most     rate.Limit
	looked   time.Time // when the endpoint was last read
}

// unseen keeps those that an earlier pass has not come to.
func (r *rechecker) unseen(ids []string) (fresh []string) {
	for _, id := range ids {
		if !r.seen[id] {
			r.seen[id] = true
			fresh = append(fresh, id)
		}
	}
	return fresh
}

// give gives turns, releaseAtOnce at the same time, as long as the endpoint takes something.
func (r *rechecker) give(ctx context.Context, ids []string) (goOn bool, err error) {
	given := make(chan bool, len(ids))
	giving, within := errgroup.WithContext(ctx)
	giving.SetLimit(releaseAtOnce)
	goOn = true
	for _, id := range ids {
		if goOn, err = r.takes(ctx); err != nil || !goOn || r.pace.Wait(within) != nil {
			break
		}
		giving.Go(func() error {
			was, err := r.approval.Backlog.Recheck(within, r.Tenant, id, r.EndpointID)
			given <- was
			return err
		})
		activity.RecordHeartbeat(ctx)
	}
	if failed := giving.Wait(); err == nil {
		err = failed
	}
	close(given)
	for was := range given {
		if was {
			r.given++
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return goOn, err
}

// takes says, once a second, whether the endpoint still takes deliveries, and doubles the pace.
func (r *rechecker) takes(ctx context.Context) (bool, error) {
	now := time.Now()
	if now.Sub(r.looked) < time.Second {
		return true, nil
	}
	if !r.looked.IsZero() {
		r.pace.SetLimit(min(2*r.pace.Limit(), r.most))
	}
	r.looked = now
	e, err := r.approval.Endpoints.Endpoint(ctx, r.Tenant, r.EndpointID)
	return e.State == webhook.EndpointActive && e.BreakerOpenedAt.IsZero(), gone(err)
}

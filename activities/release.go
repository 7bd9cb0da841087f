package activities

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"hookloop/internal/webhook"
)

// releaseAtOnce is how many deliveries are released at the same time; each takes milliseconds.
const releaseAtOnce = 16

// Release is one batch of a release.
type Release struct {
	EndpointRef
	RatePerSecond float64 `json:"rate_per_second"`
	Limit         int     `json:"limit"`
}

// ReleaseResult is what came of a batch.
type ReleaseResult struct {
	Released int  `json:"released"`
	Waiting  int  `json:"waiting"` // deliveries, whatever their status
	Done     bool `json:"done"`    // nothing was left to release

	// Stopped is the state of an endpoint that takes nothing: what is released would be held again.
	Stopped webhook.EndpointState `json:"stopped,omitempty"`
}

// releaseMargin is by how much a release may take longer than it should before deliveries that
// recheck their endpoint by themselves go without it.
const releaseMargin = time.Minute

// ReleaseHeld releases the oldest deliveries at the pace. Cancelled, it says how many it released.
// A retry goes on with the deliveries that are still held.
func (a *Approval) ReleaseHeld(ctx context.Context, in Release) (r ReleaseResult, err error) {
	if r.Waiting, err = a.Backlog.Count(ctx, in.Tenant, in.EndpointID); err != nil {
		return r, err
	}
	if r.Stopped, err = a.extend(ctx, in, r.Waiting); err != nil || r.Stopped != "" {
		return r, err
	}
	ids, err := a.oldest(ctx, in.EndpointRef, in.Limit)
	if err != nil {
		return r, err
	}
	r.Done = len(ids) == 0
	before := 0 // released by the attempt before this one, whose worker died
	if activity.HasHeartbeatDetails(ctx) {
		_ = activity.GetHeartbeatDetails(ctx, &before)
	}
	n, err := a.paced(ctx, in, ids, before)
	r.Released, r.Waiting = before+n, max(r.Waiting-n, 0)
	if ctx.Err() != nil {
		return r, temporal.NewCanceledError(r)
	}
	return r, err
}

// paced releases and counts. It spends the token that a limiter begins with, or each batch would be
// one delivery too fast.
func (a *Approval) paced(ctx context.Context, in Release, ids []string, before int) (int, error) {
	pace := rate.NewLimiter(rate.Limit(in.RatePerSecond), 1)
	pace.Allow()
	var released atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(releaseAtOnce)
	for _, id := range ids {
		if pace.Wait(groupCtx) != nil {
			break
		}
		group.Go(func() error {
			was, err := a.Backlog.Release(groupCtx, in.Tenant, id, in.EndpointID)
			if was {
				released.Add(1)
			}
			return err
		})
		activity.RecordHeartbeat(ctx, before+int(released.Load()))
	}
	err := group.Wait()
	activity.RecordHeartbeat(ctx, before+int(released.Load()))
	return int(released.Load()), err
}

// extend keeps deliveries that recheck by themselves out of the release's way while it goes on. It
// answers the state of an endpoint that is not active.
func (a *Approval) extend(ctx context.Context, in Release, waiting int) (stopped webhook.EndpointState, err error) {
	_, err = a.Endpoints.UpdateEndpoint(ctx, in.Tenant, in.EndpointID, func(e *webhook.Endpoint) error {
		if stopped = ""; e.State != webhook.EndpointActive {
			stopped = e.State
			return errNoChange
		}
		until := time.Now().Add(ReleaseTime(waiting, in.RatePerSecond)).UTC().Truncate(time.Millisecond)
		if e.Releasing.IsZero() || e.Releasing.After(until.Add(-releaseMargin/2)) {
			return errNoChange
		}
		e.Releasing = until
		return nil
	})
	if errors.Is(err, errNoChange) {
		return stopped, nil
	}
	return stopped, orGone(err)
}

var errNoChange = errors.New("nothing to change")

// ReleaseTime is how long a release should take, and its margin.
func ReleaseTime(waiting int, perSecond float64) time.Duration {
	return time.Duration(float64(waiting)/perSecond*float64(time.Second)) + releaseMargin
}

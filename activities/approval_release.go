package activities

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"hookloop/internal/webhook"
)

const (
	// probeAmong is how many of the oldest are asked: the list is a moment behind.
	probeAmong = 20

	// releaseAtOnce is how many deliveries are told at the same time; each takes milliseconds.
	releaseAtOnce = 16

	// visible is by how much a list may be behind: who finds nothing looks again after it.
	visible = time.Second
)

// errStale means that the list was behind what the deliveries know: the next look will tell.
var errStale = errors.New("no delivery on the list is held any more")

// ProbeOrder asks for a probe.
type ProbeOrder struct {
	Subject
	Key   string   `json:"key"`             // of this probe: asked for again, it is not made again
	After []string `json:"after,omitempty"` // events that were probes before it and were refused: it is another
}

// ProbeOldest sends the oldest delivery that is held, whatever the endpoint's state.
func (a *Approval) ProbeOldest(ctx context.Context, in ProbeOrder) (webhook.Probe, error) {
	ids, err := a.oldest(ctx, in.Subject, probeAmong)
	ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(in.After, id) })
	if err != nil || len(ids) == 0 {
		return webhook.Probe{}, err
	}
	defer alive(ctx)()
	for _, id := range ids {
		p, err := a.Backlog.Probe(ctx, in.Tenant, id, in.EndpointID, in.Key)
		if err != nil || p.Made {
			return p, err
		}
	}
	return webhook.Probe{}, errStale
}

// alive says that this worker is, until it is told to stop: a probe waits for its answer.
func alive(ctx context.Context) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	go func() {
		for sleep(ctx, 5*time.Second) == nil {
			activity.RecordHeartbeat(ctx)
		}
	}()
	return stop
}

// oldest looks twice before it says that there is none.
func (a *Approval) oldest(ctx context.Context, of Subject, limit int) ([]string, error) {
	ids, err := a.Backlog.Oldest(ctx, of.Tenant, of.EndpointID, limit)
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	if err := sleep(ctx, visible); err != nil {
		return nil, err
	}
	return a.Backlog.Oldest(ctx, of.Tenant, of.EndpointID, limit)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Release is one batch of a release.
type Release struct {
	Subject
	RatePerSecond float64 `json:"rate_per_second"`
	Limit         int     `json:"limit"`
}

// ReleaseResult is what came of a batch.
type ReleaseResult struct {
	Released int  `json:"released"`
	Waiting  int  `json:"waiting"` // deliveries, whatever their status
	Done     bool `json:"done"`    // nothing was left to release

	// Stopped is the state of an endpoint that takes nothing: what is let go would only be held again.
	Stopped webhook.EndpointState `json:"stopped,omitempty"`
}

// releaseMargin is by how much a release may take longer than it should before deliveries that look
// for themselves go without it.
const releaseMargin = time.Minute

// ReleaseHeld lets the oldest deliveries go at the pace. Cancelled, it says how many went. Begun
// again, it goes on with those that are still held.
func (a *Approval) ReleaseHeld(ctx context.Context, in Release) (r ReleaseResult, err error) {
	if r.Waiting, err = a.Backlog.Count(ctx, in.Tenant, in.EndpointID); err != nil {
		return r, err
	}
	if r.Stopped, err = a.extend(ctx, in, r.Waiting); err != nil || r.Stopped != "" {
		return r, err
	}
	ids, err := a.oldest(ctx, in.Subject, in.Limit)
	if err != nil {
		return r, err
	}
	r.Done = len(ids) == 0
	before := 0 // released by the try before, which died
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

// paced releases and counts. The token a limiter begins with is spent, or each batch would be one too
// fast.
func (a *Approval) paced(ctx context.Context, in Release, ids []string, before int) (int, error) {
	pace := rate.NewLimiter(rate.Limit(in.RatePerSecond), 1)
	pace.Allow()
	var n atomic.Int64
	telling, telCtx := errgroup.WithContext(ctx)
	telling.SetLimit(releaseAtOnce)
	for _, id := range ids {
		if pace.Wait(telCtx) != nil {
			break
		}
		telling.Go(func() error {
			went, err := a.Backlog.Release(telCtx, in.Tenant, id, in.EndpointID)
			if went {
				n.Add(1)
			}
			return err
		})
		activity.RecordHeartbeat(ctx, before+int(n.Load()))
	}
	err := telling.Wait()
	activity.RecordHeartbeat(ctx, before+int(n.Load()))
	return int(n.Load()), err
}

// extend keeps deliveries that look for themselves out of the release's way while it goes on. It answers the
// state of an endpoint that is not active.
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
	return stopped, gone(err)
}

var errNoChange = errors.New("nothing to change")

// ReleaseTime is how long a release should take, and its margin.
func ReleaseTime(waiting int, perSecond float64) time.Duration {
	return time.Duration(float64(waiting)/perSecond*float64(time.Second)) + releaseMargin
}

package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"hookloop/internal/webhook"
)

// A recheck gives deliveries their turn now, so that they read how their endpoint stands instead of
// waiting for their time. RecheckAll is for an endpoint that stopped, RecheckDeferred for one that
// takes events again.

// recheckAllPerSecond is the pace of RecheckAll. Each delivery costs a turn without a request.
const recheckAllPerSecond = 200

// Recheck asks for a RecheckAll.
type Recheck struct {
	EndpointRef
	Instruction webhook.Instruction `json:"instruction"`
	Held        bool                `json:"held"` // also the deliveries that are held
}

// RecheckAll signals every delivery once that was under way when it began: its endpoint was held,
// disabled or deleted, so the delivery becomes held or ends. It answers how many it signalled.
func (a *Approval) RecheckAll(ctx context.Context, in Recheck) (int, error) {
	r := allRechecker{
		Recheck: in, backlog: a.Backlog, before: time.Now(), signalled: map[string]bool{},
		pace: rate.NewLimiter(recheckAllPerSecond, recheckAllPerSecond),
	}
	for pass := 0; ; pass++ {
		found, err := r.pass(ctx)
		if ctx.Err() != nil {
			return len(r.signalled), ctx.Err() // cancelled, whatever the call it cut short says
		}
		if err != nil || !found && pass > 0 {
			return len(r.signalled), err
		}
		if err := sleep(ctx, a.behind()); err != nil {
			return len(r.signalled), err
		}
	}
}

type allRechecker struct {
	Recheck
	backlog   Backlog
	before    time.Time
	signalled map[string]bool // by event id
	pace      *rate.Limiter
}

// pass goes through the list once, and says whether it found a delivery that was not signalled yet.
func (r *allRechecker) pass(ctx context.Context) (found bool, err error) {
	for page, more := []byte(nil), true; more; more = len(page) > 0 {
		var ids []string
		ids, page, err = r.backlog.Running(ctx, r.Tenant, r.EndpointID, r.before, r.Held, page)
		if err != nil {
			return found, err
		}
		for _, id := range ids {
			if r.signalled[id] {
				continue
			}
			r.signalled[id], found = true, true
			if err := r.signal(ctx, id); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

func (r *allRechecker) signal(ctx context.Context, eventID string) error {
	if err := r.pace.Wait(ctx); err != nil {
		return err
	}
	activity.RecordHeartbeat(ctx)
	return r.backlog.Recheck(ctx, r.Tenant, eventID, r.EndpointID, r.Instruction)
}

// The pace of RecheckDeferred, for an endpoint that may have just come up: slow first, and twice as
// fast each second, until all deliveries should have had their turn in recheckSeconds or the engine
// has enough to do. It goes no faster than that: what piled up over minutes need not come in one.
const (
	firstRechecks  = 10  // a second
	mostRechecks   = 100 // a second
	recheckSeconds = 20
)

// RecheckDeferred gives every deferred delivery its turn, the oldest first. It ends early when the
// endpoint fails again, or takes nothing for another reason. It answers how many had their turn.
func (a *Approval) RecheckDeferred(ctx context.Context, of EndpointRef) (int, error) {
	r := deferredRechecker{EndpointRef: of, approval: a, seen: map[string]bool{}, pace: rate.NewLimiter(firstRechecks, 1)}
	for pass := 0; ; pass++ {
		ids, err := a.Backlog.Waiting(ctx, of.Tenant, of.EndpointID)
		if err != nil {
			return r.rechecked, err
		}
		unseen := r.unseen(ids)
		r.most = min(max(r.most, rate.Limit(len(unseen))/recheckSeconds, firstRechecks), mostRechecks)
		if len(unseen) == 0 && pass > 0 {
			return r.rechecked, nil
		}
		takes, err := r.recheck(ctx, unseen)
		if err != nil || !takes {
			return r.rechecked, err
		}
		if err := sleep(ctx, a.behind()); err != nil {
			return r.rechecked, err
		}
	}
}

type deferredRechecker struct {
	EndpointRef
	approval  *Approval
	seen      map[string]bool // by event id
	rechecked int
	pace      *rate.Limiter
	most      rate.Limit
	readAt    time.Time // when the endpoint was last read
}

// unseen keeps the deliveries that no earlier pass has come to.
func (r *deferredRechecker) unseen(ids []string) (unseen []string) {
	for _, id := range ids {
		if !r.seen[id] {
			r.seen[id] = true
			unseen = append(unseen, id)
		}
	}
	return unseen
}

// recheck gives deliveries their turn, releaseAtOnce at the same time, and says whether the
// endpoint still takes deliveries.
func (r *deferredRechecker) recheck(ctx context.Context, ids []string) (takes bool, err error) {
	deferred := make(chan bool, len(ids))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(releaseAtOnce)
	takes = true
	for _, id := range ids {
		if takes, err = r.takes(ctx); err != nil || !takes || r.pace.Wait(groupCtx) != nil {
			break
		}
		group.Go(func() error {
			was, err := r.approval.Backlog.RecheckDeferred(groupCtx, r.Tenant, id, r.EndpointID)
			deferred <- was
			return err
		})
		activity.RecordHeartbeat(ctx)
	}
	if failed := group.Wait(); err == nil {
		err = failed
	}
	close(deferred)
	for was := range deferred {
		if was {
			r.rechecked++
		}
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return takes, err
}

// takes says, once a second, whether the endpoint still takes deliveries, and doubles the pace.
func (r *deferredRechecker) takes(ctx context.Context) (bool, error) {
	now := time.Now()
	if now.Sub(r.readAt) < time.Second {
		return true, nil
	}
	if !r.readAt.IsZero() {
		r.pace.SetLimit(min(2*r.pace.Limit(), r.most))
	}
	r.readAt = now
	e, err := r.approval.Endpoints.Endpoint(ctx, r.Tenant, r.EndpointID)
	return e.State == webhook.EndpointActive && e.BreakerOpenedAt.IsZero(), orGone(err)
}

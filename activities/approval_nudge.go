package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/time/rate"

	"hookloop/internal/webhook"
)

// nudgesPerSecond is the pace at which deliveries are told to look at their endpoint. Each costs a turn
// without a request.
const nudgesPerSecond = 200

// Nudge tells the deliveries of an endpoint to look at it now.
type Nudge struct {
	Subject
	Verb webhook.Verb `json:"verb"`
	Held bool         `json:"held"` // also those that are held
}

// NudgeAll tells every delivery once that was under way when it began: its endpoint was held, disabled
// or deleted, so it is held or ends. It answers how many there were.
func (a *Approval) NudgeAll(ctx context.Context, in Nudge) (int, error) {
	n := nudger{approval: a, Nudge: in, before: time.Now(), told: map[string]bool{}, pace: rate.NewLimiter(nudgesPerSecond, nudgesPerSecond)}
	for pass := 0; ; pass++ {
		news, err := n.pass(ctx)
		if ctx.Err() != nil {
			return len(n.told), ctx.Err() // cancelled, whatever the call it cut short says
		}
		if err != nil || !news && pass > 0 {
			return len(n.told), err
		}
		if err := sleep(ctx, visible); err != nil {
			return len(n.told), err
		}
	}
}

type nudger struct {
	Nudge
	approval *Approval
	before   time.Time
	told     map[string]bool
	pace     *rate.Limiter
}

// pass goes once through the list, and says whether it told anybody.
func (n *nudger) pass(ctx context.Context) (news bool, err error) {
	for page, more := []byte(nil), true; more; more = len(page) > 0 {
		var ids []string
		ids, page, err = n.approval.Backlog.Running(ctx, n.Tenant, n.EndpointID, n.before, n.Held, page)
		if err != nil {
			return news, err
		}
		for _, id := range ids {
			if n.told[id] {
				continue
			}
			n.told[id], news = true, true
			if err := n.tell(ctx, id); err != nil {
				return news, err
			}
		}
	}
	return news, nil
}

func (n *nudger) tell(ctx context.Context, id string) error {
	if err := n.pace.Wait(ctx); err != nil {
		return err
	}
	activity.RecordHeartbeat(ctx)
	return n.approval.Backlog.Look(ctx, n.Tenant, id, n.EndpointID, n.Verb)
}

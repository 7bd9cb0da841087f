package activities

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/time/rate"

	"hookloop/internal/webhook"
)

// Redeliverer finds deliveries that ended undelivered and starts them again.
type Redeliverer interface {
	// Undelivered gives one page of a window, and where the next one begins; nil after the last.
	Undelivered(ctx context.Context, w webhook.Window, page []byte) (eventIDs []string, next []byte, err error)
	// Redeliver starts a new run. It answers webhook.Conflict while one is under way,
	// webhook.Expired once the data is gone, webhook.Disabled when nothing goes to the endpoint and
	// webhook.NotFound when it is gone.
	Redeliver(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) error
}

// Recovery holds the activity of a recovery.
type Recovery struct {
	Deliveries Redeliverer
}

// RecoveryPage is one page of a recovery to work off. Fields are added, never renamed or re-typed.
type RecoveryPage struct {
	Window        webhook.Window      `json:"window"`
	Page          []byte              `json:"page,omitempty"`
	RatePerSecond float64             `json:"rate_per_second"`
	Instruction   webhook.Instruction `json:"instruction"`
}

// RecoveryPageResult is what came of a page.
type RecoveryPageResult struct {
	Found       int    `json:"found"`
	Redelivered int    `json:"redelivered"`
	Skipped     int    `json:"skipped"`
	Next        []byte `json:"next,omitempty"`    // nil: that was the last page
	Stopped     string `json:"stopped,omitempty"` // why nothing goes to the endpoint any more; what follows was not looked at
}

// RecoveryProgress is what a heartbeat of RecoverPage remembers: with the list itself, a page that
// is begun again goes on where it stopped, whatever was started or ended since.
type RecoveryProgress struct {
	EventIDs []string           `json:"event_ids"`
	Done     int                `json:"done"`
	Result   RecoveryPageResult `json:"result"`
}

// RecoverPage redelivers one page at the recovery's pace. Cancelled, it says how far it came.
func (r *Recovery) RecoverPage(ctx context.Context, in RecoveryPage) (RecoveryPageResult, error) {
	p, err := r.begin(ctx, in)
	if err != nil {
		return RecoveryPageResult{}, err
	}
	pace := rate.NewLimiter(rate.Limit(in.RatePerSecond), 1)
	for p.Done < len(p.EventIDs) && p.Result.Stopped == "" {
		if pace.Wait(ctx) != nil {
			return p.Result, temporal.NewCanceledError(p.Result)
		}
		if err := r.redeliver(ctx, in, &p); err != nil {
			return p.Result, err
		}
		activity.RecordHeartbeat(ctx, p)
	}
	return p.Result, nil
}

func (r *Recovery) begin(ctx context.Context, in RecoveryPage) (p RecoveryProgress, err error) {
	if activity.HasHeartbeatDetails(ctx) && activity.GetHeartbeatDetails(ctx, &p) == nil {
		return p, nil
	}
	p.EventIDs, p.Result.Next, err = r.Deliveries.Undelivered(ctx, in.Window, in.Page)
	switch webhook.CodeOf(err) {
	case webhook.Invalid: // started by hand, with a window that cannot be read
		err = badWindow(err)
	case webhook.NotFound:
		p.Result.Stopped, err = endpointDeleted, nil
	}
	p.Result.Found = len(p.EventIDs)
	return p, err
}

// endpointDeleted is why a recovery of an endpoint that is gone ends.
const endpointDeleted = "the endpoint was deleted"

func (r *Recovery) redeliver(ctx context.Context, in RecoveryPage, p *RecoveryProgress) error {
	err := r.Deliveries.Redeliver(ctx, in.Window.Tenant, p.EventIDs[p.Done], in.Window.EndpointID, in.Instruction)
	switch code := webhook.CodeOf(err); {
	case err == nil:
		p.Result.Redelivered++
	case code == webhook.Conflict || code == webhook.Expired:
		p.Result.Skipped++
	case code == webhook.Disabled:
		p.Result.Stopped, p.Result.Next = "the endpoint was disabled; what is left can be recovered once it is resumed", nil
		return nil
	case code == webhook.NotFound:
		p.Result.Stopped, p.Result.Next = endpointDeleted, nil
		return nil
	default:
		return err // ours: the page goes on from the last heartbeat
	}
	p.Done++
	return nil
}

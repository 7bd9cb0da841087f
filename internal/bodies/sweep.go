package bodies

import (
	"context"
	"log/slog"
	"time"

	"hookloop/internal/webhook"
)

// Histories says whether Temporal still knows an event; orchestrator.Histories is one.
type Histories interface {
	Known(ctx context.Context, tenant, eventID string) (bool, error)
}

const (
	// sweepEvery is how often Sweep looks which events have gone.
	sweepEvery = time.Hour
	// sweepAge is how old a body is before it may go. It is written before its event is accepted: a
	// young one may have no event yet.
	sweepAge = time.Hour
	// sweepPage is how many bodies are listed at a time.
	sweepPage = 100
)

// Sweep deletes the bodies of events that Temporal has forgotten, by its retention or because a
// person deleted them, until ctx ends. Several processes may do it side by side.
func (b *Bodies) Sweep(ctx context.Context, h Histories, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.SweepOnce(ctx, h); err != nil && ctx.Err() == nil {
			log.Warn("bodies", slog.String("error", err.Error()))
		}
	}
}

// SweepOnce looks at each body once.
func (b *Bodies) SweepOnce(ctx context.Context, h Histories) error {
	var after webhook.StoredBody
	for {
		page, err := b.store.Bodies(ctx, b.now().Add(-sweepAge), after, sweepPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, body := range page {
			known, err := h.Known(ctx, body.Tenant, body.EventID)
			if err == nil && !known {
				err = b.store.DeleteBody(ctx, body.Tenant, body.EventID)
			}
			if err != nil {
				return err
			}
		}
		after = page[len(page)-1]
	}
}

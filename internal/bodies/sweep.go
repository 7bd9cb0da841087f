package bodies

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/webhook"
)

// Histories tells whether a workflow is still known; Temporal's client does.
type Histories interface {
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
}

// How often it is looked which events have gone, how old a body is that is looked at, and how many are listed
// at a time. A body is written before its event is accepted: a young one may have none yet.
const (
	sweepEvery = time.Hour
	sweepAge   = time.Hour
	sweepPage  = 100
)

// Sweep deletes the bodies of events that Temporal has forgotten, by its retention or because a person deleted
// them, until ctx ends. Several processes may do it side by side.
func (b *Bodies) Sweep(ctx context.Context, h Histories, name func(tenant, eventID string) string, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.SweepOnce(ctx, h, name); err != nil && ctx.Err() == nil {
			log.Warn("bodies", slog.String("error", err.Error()))
		}
	}
}

// SweepOnce looks at each body once.
func (b *Bodies) SweepOnce(ctx context.Context, h Histories, name func(tenant, eventID string) string) error {
	var after webhook.StoredBody
	for {
		page, err := b.store.Bodies(ctx, b.now().Add(-sweepAge), after, sweepPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, body := range page {
			_, err := h.DescribeWorkflowExecution(ctx, name(body.Tenant, body.EventID), "")
			if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
				err = b.store.DeleteBody(ctx, body.Tenant, body.EventID)
			}
			if err != nil {
				return err
			}
		}
		after = page[len(page)-1]
	}
}

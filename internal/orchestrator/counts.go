package orchestrator

import (
	"context"
	"fmt"
	"time"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Counts says how much there is, as the visibility store knows it: it is a moment behind.
type Counts struct{ link }

// Counts is the part that counts.
func (o *Orchestrator) Counts() *Counts { return &Counts{o.link} }

// Unfinished is how many events and deliveries of all tenants have not ended.
func (c *Counts) Unfinished(ctx context.Context) (int, error) {
	n, err := c.count(ctx, where(ofType(workflows.TypeEvent, workflows.TypeDelivery), running))
	return n, failed(err)
}

// OpenDeliveries is how many deliveries of a tenant have a workflow that has not ended.
func (c *Counts) OpenDeliveries(ctx context.Context, tenant string) (int64, error) {
	n, err := c.count(ctx, where(ofType(workflows.TypeDelivery), is(workflows.Tenant, tenant), running))
	return int64(n), failed(err)
}

// waitingStatuses are those of a delivery that has not ended.
func waitingStatuses() []string {
	return []string{string(webhook.Pending), string(webhook.Retrying), string(webhook.Held), string(webhook.ApprovalAwaiting)}
}

// awaiting are the approvals that wait for a person's decision.
var awaiting = where(ofType(workflows.TypeApproval), is(workflows.Outcome, string(webhook.ApprovalAwaiting)), running)

// manyApprovals bounds how many approvals are looked through for the oldest: a list has the newest
// first. With more of them waiting, their number is what matters.
const manyApprovals = 5000

// OldestApproval is since when the approval that has waited longest runs, of the latest thousands;
// zero: none waits.
func (c *Counts) OldestApproval(ctx context.Context) (oldest time.Time, err error) {
	seen := 0
	for x, err := range c.every(ctx, awaiting, 1000) {
		if err != nil {
			return time.Time{}, fmt.Errorf("approvals: %w", failed(err))
		}
		if oldest.IsZero() || x.Start.Before(oldest) {
			oldest = x.Start
		}
		if seen++; seen == manyApprovals {
			break
		}
	}
	return oldest, nil
}

// Waiting is how many approvals wait for a person's decision, and how many deliveries go on, by
// their status.
func (c *Counts) Waiting(ctx context.Context) (approvals int, deliveries map[string]int, err error) {
	approvals, err = c.count(ctx, awaiting)
	if err != nil {
		return 0, nil, fmt.Errorf("approvals: %w", failed(err))
	}
	deliveries = map[string]int{}
	for _, s := range waitingStatuses() {
		if deliveries[s], err = c.count(ctx, where(ofType(workflows.TypeDelivery), is(workflows.Outcome, s), running)); err != nil {
			return 0, nil, fmt.Errorf("deliveries: %w", failed(err))
		}
	}
	return approvals, deliveries, nil
}

package orchestrator

import (
	"context"
	"fmt"

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

// Waiting is how many approvals wait for a person's decision, and how many deliveries go on, by
// their status.
func (c *Counts) Waiting(ctx context.Context) (approvals int, deliveries map[string]int, err error) {
	approvals, err = c.count(ctx, where(ofType(workflows.TypeApproval), is(workflows.Outcome, string(webhook.ApprovalAwaiting)), running))
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

package guard

import (
	"context"
	"fmt"
	"time"

	"hookloop/internal/webhook"
)

// Pacer keeps the rate limits of endpoints for several workers together.
type Pacer interface {
	// Pass spends a token on the delivery of an event and returns zero. If there is no token, it
	// keeps a slot for the delivery, which comes back after the wait, to any worker.
	Pass(ctx context.Context, tenant, endpointID, eventID string, limit webhook.RateLimit) (wait time.Duration, err error)
}

// pace asks the pacer that all workers share. A delivery that has to wait gives its permit back. A
// probe that a person asked for is not held up, as with a limit of the worker's own.
func (g *Guard) pace(ctx context.Context, p Permit, d webhook.Delivery) error {
	limit := d.Endpoint.RateLimit
	if g.pacer == nil || d.Probe || limit.Check() != nil {
		return nil
	}
	wait, err := g.pacer.Pass(ctx, d.Endpoint.Tenant, d.Endpoint.ID, d.Event.ID, limit)
	if err == nil && wait <= 0 {
		return nil
	}
	g.release(p, "", errNoVerdict)
	if err != nil {
		return fmt.Errorf("pace of %s: %w", d.Endpoint.ID, err)
	}
	now := time.Now()
	return limit.Defer(now.Add(wait), now)
}

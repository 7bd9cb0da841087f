package sender

import (
	"context"
	"fmt"
	"time"

	"hookloop/internal/webhook"
)

// Pacer keeps the rate limits of endpoints for several workers together.
type Pacer interface {
	// Pass spends a token on the delivery of an event; the zero duration says so. Otherwise one is kept for
	// it, and it comes back after the wait, to whatever worker.
	Pass(ctx context.Context, tenant, endpointID, eventID string, limit webhook.RateLimit) (wait time.Duration, err error)
}

// pace asks the pacer that all workers share. A delivery that has to wait gives its place back, and its
// probe. What a person asked for is not held up, as with a limit of our own.
func (s *Sender) pace(ctx context.Context, t turn, d webhook.Delivery) error {
	limit := d.Endpoint.RateLimit
	if s.pacer == nil || d.Probe || limit.Check() != nil {
		return nil
	}
	wait, err := s.pacer.Pass(ctx, d.Endpoint.Tenant, d.Endpoint.ID, d.Event.ID, limit)
	if err == nil && wait <= 0 {
		return nil
	}
	s.guards.release(t, "", errNoVerdict)
	if err != nil {
		return fmt.Errorf("pace of %s: %w", d.Endpoint.ID, err)
	}
	return s.deferred(&webhook.Deferral{
		Reason: webhook.DeferLimit,
		Detail: fmt.Sprintf("the endpoint takes %g attempts a second; this delivery's slot is at %s",
			limit.PerSecond, s.now().Add(wait).UTC().Format("2006-01-02T15:04:05.000Z")),
		Until:  s.now().Add(wait).UTC(),
		WaitMS: (wait + time.Millisecond - 1).Milliseconds(), // rounded up: too early would be in vain
	})
}

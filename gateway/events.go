package gateway

import (
	"context"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Events accepts events, says what became of them, and passes on to their deliveries what operators say;
// orchestrator.Events does. Its errors carry webhook.NotFound or webhook.Conflict; one without a code is an awayError, or
// ours.
type Events interface {
	// Start accepts an event: with it the event cannot be lost. orchestrator.ErrAccepted says that one of its id was
	// accepted before.
	Start(ctx context.Context, in workflows.EventInput, data []byte) error
	// Accepted gives what an event was accepted with, and its data.
	Accepted(ctx context.Context, tenant, id string) (workflows.EventInput, []byte, error)
	State(ctx context.Context, tenant, id string) (orchestrator.EventState, error)
	// List gives at most size events, and where the next page begins; nil: that was the last.
	List(ctx context.Context, f orchestrator.EventFilter, size int, page []byte) ([]orchestrator.EventItem, []byte, error)
	// RetryNow and CancelDelivery answer how the delivery stood; orchestrator.ErrNotWaiting: it takes none.
	RetryNow(ctx context.Context, tenant, eventID, endpointID string, v webhook.Verb) (webhook.DeliveryReport, error)
	CancelDelivery(ctx context.Context, tenant, eventID, endpointID string, v webhook.Verb) (webhook.DeliveryReport, error)
	// Reachable says why nothing can be accepted now, Refused why the next event would probably be refused.
	Reachable(ctx context.Context) error
	Refused() error
}

// start accepts an event: with it the event cannot be lost.
func (g *Gateway) start(ctx context.Context, in workflows.EventInput, data []byte) (err error) {
	thirdParty := in.Event.Origin != nil // would send all of its batch again for one that is refused
	leave, err := g.admit(ctx, in.Event.Tenant, thirdParty)
	if err != nil {
		return err
	}
	defer func() { leave(err) }()
	ctx, done := accepting(ctx, &in.Event)
	err = g.events.Start(ctx, in, data)
	done(err)
	if err == nil && in.Unmatched() {
		g.metrics.unmatched.Inc()
	}
	return err
}

// event gives the state of an event; one whose id could not be an event's is not looked for.
func (g *Gateway) event(ctx context.Context, tenant, id string) (orchestrator.EventState, error) {
	if !eventID.MatchString(id) {
		return orchestrator.EventState{}, noSuchEvent()
	}
	return g.events.State(ctx, tenant, id)
}

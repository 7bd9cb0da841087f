package gateway

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Events accepts events, says what became of them, and passes on to their deliveries what operators
// say; orchestrator.Events does. Its errors carry webhook.NotFound or webhook.Conflict; one without
// a code is an awayError, or ours.
type Events interface {
	// Start accepts an event: with it the event cannot be lost. orchestrator.ErrAccepted says that
	// one of its id was accepted before.
	Start(ctx context.Context, in workflows.EventInput, data []byte) error
	// Accepted gives what an event was accepted with, and its data.
	Accepted(ctx context.Context, tenant, id string) (workflows.EventInput, []byte, error)
	State(ctx context.Context, tenant, id string) (orchestrator.EventState, error)
	// List gives at most size events, and where the next page begins; nil: that was the last.
	List(ctx context.Context, f orchestrator.EventFilter, size int, page []byte) ([]orchestrator.EventItem, []byte, error)
	// Named gives events by their ids; those that Temporal does not know are missing.
	Named(ctx context.Context, tenant string, ids []string) (map[string]orchestrator.EventItem, error)
	// RetryNow and CancelDelivery answer how the delivery stood; orchestrator.ErrNotWaiting: it
	// takes none.
	RetryNow(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) (webhook.DeliveryReport, error)
	CancelDelivery(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) (webhook.DeliveryReport, error)
	// Reachable says why nothing can be accepted now, Refused why the next event would probably be
	// refused.
	Reachable(ctx context.Context) error
	Refused() error
}

func (g *Gateway) eventRoutes(to huma.API) {
	const events = "/v1/tenants/{tenant}/events"
	route(g, to, operation{
		id: "post-event", tag: tagEvents, refuses: []api.Code{api.IdempotencyConflict, api.Erased}, method: http.MethodPost, path: events, scope: api.EventsWrite, status: http.StatusAccepted,
		summary: "Post an event",
		text: "Answered once the event cannot be lost any more. It goes to every endpoint that wants its type; " +
			"`data` arrives there byte for byte as sent here. Names may not appear twice, nesting ends at 500 levels, the body at 1048576 bytes.",
		example:  map[string]any{"type": "contact.updated", "data": map[string]any{"id": 4711, "email": "jane@example.com"}},
		admitted: true, cost: posts,
	}, g.postEvent)
	route(g, to, operation{
		id: "list-events", tag: tagEvents, cost: costly, method: http.MethodGet, path: events, scope: api.EventsRead, within: acceptTimeout,
		summary: "List events", text: "Those accepted last first. An event shows up a moment after it was accepted. " +
			"The status is the one its first deliveries ended with; the event itself knows of redeliveries too. " +
			"With `endpoint`, those that had a turn at it, in the order of their first turns, the latest first.",
	}, g.listEvents)
	route(g, to, operation{
		id: "get-event", tag: tagEvents, cost: costly, method: http.MethodGet, path: events + "/{id}", scope: api.EventsRead, within: getTimeout,
		refuses: []api.Code{api.Erased},
		summary: "What became of an event", text: "Every delivery with its attempts, for as long as Temporal keeps the history. One that was erased answers `erased` (410), with who wanted it, when and why.",
	}, g.getEvent)
	route(g, to, operation{
		id: "get-event-data", tag: tagEvents, cost: costly, method: http.MethodGet, path: events + "/{id}/data", scope: api.EventsData, within: getTimeout,
		refuses: []api.Code{api.Erased},
		summary: "What an event says",
		text:    "Its `data`, byte for byte as it came, for as long as Temporal keeps the history. Who reads it stands in the audit.",
	}, g.eventData)
}

// getTimeout bounds the answer about one event: with a thousand deliveries that is two thousand
// questions to Temporal.
const getTimeout = 30 * time.Second

func (g *Gateway) getEvent(ctx context.Context, in *EventPath) (*answerOf[api.Event], error) {
	e, err := g.event(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, g.unlessErased(ctx, in.Tenant, in.ID, err)
	}
	return &answerOf[api.Event]{Body: api.Event{
		ID: in.ID, Type: e.Input.Event.Type, Timestamp: e.Input.Event.Timestamp,
		Status: e.Report.Status, Reason: e.Reason, Deliveries: g.nameDeliveries(ctx, in.Tenant, deliveries(e.Report.Deliveries)),
		Hops: e.Input.Event.Hops, Origin: e.Input.Event.Origin, Withheld: e.Input.Withheld,
		WorkflowID: e.WorkflowID, RunID: e.RunID,
	}}, nil
}

func deliveries(reports []webhook.DeliveryReport) []api.Delivery {
	all := make([]api.Delivery, len(reports))
	for i, r := range reports {
		all[i] = api.Delivery{
			EndpointID: r.EndpointID, Status: r.Status, Reason: r.Reason, Attempts: r.Attempts, NextAttemptAt: r.NextAttemptAt, WorkflowID: r.WorkflowID,
		}
		for _, wait := range r.Schedule {
			all[i].Schedule = append(all[i].Schedule, api.Duration(wait))
		}
		if r.Attempts == nil {
			all[i].Attempts = []webhook.Attempt{}
		}
	}
	return all
}

// event gives the state of an event.
func (g *Gateway) event(ctx context.Context, tenant, id string) (orchestrator.EventState, error) {
	e, err := g.cfg.Events.State(ctx, tenant, id)
	if err != nil {
		return e, err
	}
	return g.confined.Event(ctx, tenant, e)
}

type eventData struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

func (g *Gateway) eventData(ctx context.Context, in *EventPath) (*eventData, error) {
	if auth.Of(ctx).IsConfined() {
		e, err := g.event(ctx, in.Tenant, in.ID)
		if err != nil {
			return nil, err
		}
		if err := g.confined.MayRead(ctx, in.Tenant, e); err != nil {
			return nil, err
		}
	}
	_, data, err := g.cfg.Events.Accepted(ctx, in.Tenant, in.ID)
	if err = g.unlessErased(ctx, in.Tenant, in.ID, err); err != nil {
		return nil, fmt.Errorf("data of event %s: %w", in.ID, err)
	}
	if err := g.recordRead(ctx, in.Tenant, webhook.AuditLine{Kind: webhook.AuditPayloadRead, EventID: in.ID}); err != nil {
		return nil, err
	}
	return &eventData{ContentType: "application/json", CacheControl: "no-store", Body: data}, nil
}

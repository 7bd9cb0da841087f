package confined

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// reached gives by id all endpoints that a confined token reaches.
func (r Room) reached(ctx context.Context, tenant string) (map[string]webhook.Endpoint, error) {
	const page = 250
	found := map[string]webhook.Endpoint{}
	for q := (webhook.EndpointQuery{Limit: page}); ; {
		all, err := r.Endpoints(ctx, tenant, q)
		if err != nil {
			return nil, fmt.Errorf("endpoints: %w", problem.Registry(err))
		}
		for _, e := range all {
			found[e.ID] = e
		}
		if len(all) < page {
			return found, nil
		}
		q.After = all[page-1].ID
	}
}

// Event leaves of an event what a confined token may know: the deliveries to the endpoints
// that it reaches, and how the event stands by those. An event without any is none.
func (r Room) Event(ctx context.Context, tenant string, e orchestrator.EventState) (orchestrator.EventState, error) {
	if !is(ctx) {
		return e, nil
	}
	theirs, err := r.reached(ctx, tenant)
	if err != nil {
		return orchestrator.EventState{}, err
	}
	e.Report.Deliveries = slices.DeleteFunc(slices.Clone(e.Report.Deliveries), func(d webhook.DeliveryReport) bool {
		_, reached := theirs[d.EndpointID]
		return !reached
	})
	if len(e.Report.Deliveries) == 0 {
		return orchestrator.EventState{}, problem.NoSuch("event")
	}
	for i := range e.Report.Deliveries {
		e.Report.Deliveries[i].Reason = webhook.WithoutPeople(e.Report.Deliveries[i].Reason)
	}
	e.Report.Status, e.Reason = webhook.EventStatusOf(e.Report.Deliveries), ""
	e.Input.Withheld, e.Input.Event.Origin = nil, nil
	return e, nil
}

// HasDelivery says whether an event has a delivery to an endpoint.
func HasDelivery(e orchestrator.EventState, endpointID string) bool {
	return slices.ContainsFunc(e.Report.Deliveries, func(d webhook.DeliveryReport) bool { return d.EndpointID == endpointID })
}

// MayRead lets a confined token read the data of an event that goes whole to one of its
// endpoints. Where an expression makes the request, what it left out is not theirs.
func (r Room) MayRead(ctx context.Context, tenant string, e orchestrator.EventState) error {
	if !is(ctx) {
		return nil
	}
	theirs, err := r.reached(ctx, tenant)
	if err != nil {
		return err
	}
	for _, d := range e.Report.Deliveries {
		if to, ok := theirs[d.EndpointID]; ok && to.Request.IsZero() {
			return nil
		}
	}
	return webhook.Errorf(api.OutOfReach, "the endpoint gets a part of this event, which an expression makes: the whole is not shown")
}

// MayOrder lets a confined token hurry a delivery of its own that waits for its schedule. What
// waits for a person waits for one of the app.
func MayOrder(ctx context.Context, e orchestrator.EventState, endpointID string) error {
	if !is(ctx) {
		return nil
	}
	for _, d := range e.Report.Deliveries {
		switch {
		case d.EndpointID != endpointID:
		case d.Status == webhook.Held:
			return webhook.Errorf(webhook.Conflict, "the delivery is held: it waits for a person")
		default:
			return nil
		}
	}
	return problem.NoSuchDelivery(e.Input.Event.ID, endpointID)
}

// MayPause lets a confined token pause an endpoint that gets something: pausing a held one would
// end what people are asked.
func MayPause(ctx context.Context, e webhook.Endpoint) error {
	if is(ctx) && e.State == webhook.EndpointHeld {
		return webhook.Errorf(webhook.Conflict, "the endpoint is held: people are asked about it")
	}
	return nil
}

// MayResume lets a confined token undo a pause of its kind, and no decision of other people.
func MayResume(ctx context.Context, e webhook.Endpoint) error {
	own := e.State == webhook.EndpointPaused && strings.HasPrefix(e.StateReason, "paused by "+webhook.PortalActor)
	if is(ctx) && !own {
		return webhook.Errorf(webhook.Conflict, "the endpoint was not paused by its owner: who stopped it lets it go on")
	}
	return nil
}

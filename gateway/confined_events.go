package gateway

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

// reachable gives the ids of all endpoints that a confined token reaches.
func (g *Gateway) reachable(ctx context.Context, tenant string) (map[string]webhook.Endpoint, error) {
	const page = 250
	found := map[string]webhook.Endpoint{}
	for q := (webhook.EndpointQuery{Limit: page}); ; {
		all, err := g.reachableEndpoints(ctx, tenant, q)
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

// confinedEvent leaves of an event what a confined token may know: the deliveries to the endpoints
// that it reaches, and how the event stands by those. An event without any is none.
func (g *Gateway) confinedEvent(ctx context.Context, tenant string, e orchestrator.EventState) (orchestrator.EventState, error) {
	if !confinedTo(ctx).IsConfined() {
		return e, nil
	}
	theirs, err := g.reachable(ctx, tenant)
	if err != nil {
		return orchestrator.EventState{}, err
	}
	e.Report.Deliveries = slices.DeleteFunc(slices.Clone(e.Report.Deliveries), func(d webhook.DeliveryReport) bool {
		_, reached := theirs[d.EndpointID]
		return !reached
	})
	if len(e.Report.Deliveries) == 0 {
		return orchestrator.EventState{}, noSuchEvent()
	}
	for i := range e.Report.Deliveries {
		e.Report.Deliveries[i].Reason = webhook.WithoutPeople(e.Report.Deliveries[i].Reason)
	}
	e.Report.Status, e.Reason = webhook.EventStatusOf(e.Report.Deliveries), ""
	e.Input.Withheld, e.Input.Event.Origin = nil, nil
	return e, nil
}

func hasDelivery(e orchestrator.EventState, endpointID string) bool {
	return slices.ContainsFunc(e.Report.Deliveries, func(d webhook.DeliveryReport) bool { return d.EndpointID == endpointID })
}

// mayReadData lets a confined token read the data of an event that goes whole to one of its
// endpoints. Where an expression makes the request, what it left out is not theirs.
func (g *Gateway) mayReadData(ctx context.Context, tenant, id string) error {
	if !confinedTo(ctx).IsConfined() {
		return nil
	}
	e, err := g.event(ctx, tenant, id)
	if err != nil {
		return err
	}
	theirs, err := g.reachable(ctx, tenant)
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

// mayOrder lets a confined token hurry a delivery of its own that waits for its schedule. What
// waits for a person waits for one of the app.
func (g *Gateway) mayOrder(ctx context.Context, in *orderDelivery) error {
	if !confinedTo(ctx).IsConfined() {
		return nil
	}
	e, err := g.event(ctx, in.Tenant, in.ID)
	if err != nil {
		return err
	}
	for _, d := range e.Report.Deliveries {
		switch {
		case d.EndpointID != in.EndpointID:
		case d.Status == webhook.Held:
			return webhook.Errorf(webhook.Conflict, "the delivery is held: it waits for a person")
		default:
			return nil
		}
	}
	return noSuchDelivery(in.ID, in.EndpointID)
}

// mayPause lets a confined token pause an endpoint that gets something: pausing a held one would
// end what people are asked.
func mayPause(ctx context.Context, e webhook.Endpoint) error {
	if confinedTo(ctx).IsConfined() && e.State == webhook.EndpointHeld {
		return webhook.Errorf(webhook.Conflict, "the endpoint is held: people are asked about it")
	}
	return nil
}

// mayResume lets a confined token undo a pause of its kind, and no decision of other people.
func mayResume(ctx context.Context, e webhook.Endpoint) error {
	own := e.State == webhook.EndpointPaused && strings.HasPrefix(e.StateReason, "paused by "+webhook.PortalActor)
	if confinedTo(ctx).IsConfined() && !own {
		return webhook.Errorf(webhook.Conflict, "the endpoint was not paused by its owner: who stopped it lets it go on")
	}
	return nil
}

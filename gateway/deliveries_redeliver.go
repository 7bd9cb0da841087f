package gateway

import (
	"context"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/gateway/confined"
	"hookloop/gateway/problem"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Redeliveries starts finished deliveries again; orchestrator.Redeliveries does. Its errors carry
// webhook.Expired, webhook.NotFound, webhook.Disabled or webhook.Conflict; one without a code is an
// awayError, or ours.
type Redeliveries interface {
	Redeliver(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) error
	// Count says how many events of a window were not delivered to its endpoint.
	Count(ctx context.Context, w webhook.Window) (int, error)
}

// redeliverEvent starts deliveries that have ended once more. If it fails half way, a repeat starts
// the rest: those under way are not started twice.
func (g *Gateway) redeliverEvent(ctx context.Context, in *inEvent[api.Redelivery]) (*answerOf[api.Redelivered], error) {
	place, err := g.gate.Enter(ctx, in.Tenant, false)
	if err != nil {
		return nil, err
	}
	defer func() { place.Leave(ctx, err) }()
	if err = g.refuseErased(ctx, in.Tenant, in.ID); err != nil {
		return nil, err
	}
	e, err := g.event(ctx, in.Tenant, in.ID)
	if webhook.CodeOf(err) == webhook.NotFound {
		return nil, webhook.Errorf(webhook.Expired, "the history of event %s is gone, and its data with it, or there never was one", in.ID)
	}
	if err != nil {
		return nil, err
	}
	choose := g.undelivered
	if only := in.value.EndpointID; only != "" {
		choose = func(ctx context.Context, e orchestrator.EventState) ([]string, error) { return g.chosen(ctx, e, only) }
	}
	endpoints, err := choose(ctx, e)
	if err != nil {
		return nil, err
	}
	return g.redeliver(ctx, e, endpoints)
}

// redeliver passes over a delivery that another request has just started, unless it is the only
// one.
func (g *Gateway) redeliver(ctx context.Context, e orchestrator.EventState, endpoints []string) (*answerOf[api.Redelivered], error) {
	out := &answerOf[api.Redelivered]{}
	var taken error
	for _, id := range endpoints {
		err := g.cfg.Redeliveries.Redeliver(ctx, e.Input.Event.Tenant, e.Input.Event.ID, id, webhook.Instruction{By: subject(ctx)})
		if webhook.CodeOf(err) == webhook.Conflict {
			taken = err
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Body.Deliveries = append(out.Body.Deliveries, api.RedeliveredDelivery{
			EndpointID: id, WorkflowID: workflows.DeliveryWorkflowID(e.Input.Event.Tenant, e.Input.Event.ID, id),
		})
	}
	if len(out.Body.Deliveries) == 0 {
		return nil, taken
	}
	return out, nil
}

// undelivered are the endpoints to which the event was not delivered in the end, as far as they
// still exist.
func (g *Gateway) undelivered(ctx context.Context, e orchestrator.EventState) ([]string, error) {
	var endpoints []string
	waiting, deleted := 0, 0
	var disabled error
	for _, d := range e.Report.Deliveries {
		if !d.Status.Ended() {
			waiting++
		}
		if !d.Status.Ended() || d.Status == webhook.Delivered {
			continue
		}
		switch err := g.takesDeliveries(ctx, e.Input.Event.Tenant, d.EndpointID); {
		case webhook.CodeOf(err) == webhook.NotFound:
			deleted++
		case webhook.CodeOf(err) == webhook.Disabled:
			disabled = err
		case err != nil:
			return nil, err
		default:
			endpoints = append(endpoints, d.EndpointID)
		}
	}
	if len(endpoints) > 0 {
		return endpoints, nil
	}
	switch {
	case disabled != nil:
		return nil, disabled
	case waiting > 0:
		return nil, webhook.Errorf(webhook.Conflict, "no delivery of the event has ended undelivered; %d still under way", waiting)
	case deleted > 0:
		return nil, webhook.Errorf(webhook.Conflict, "the event was delivered to every endpoint that still exists; %d deleted since", deleted)
	}
	return nil, webhook.Errorf(webhook.Conflict, "the event was delivered to every endpoint; name one as endpoint_id to deliver it again")
}

// chosen lets the delivery to one endpoint through, if it is not under way. The endpoint need not
// be among those the event was accepted for: it may have been made later, or want its type only
// now.
func (g *Gateway) chosen(ctx context.Context, e orchestrator.EventState, endpointID string) ([]string, error) {
	if auth.Of(ctx).IsConfined() && !confined.HasDelivery(e, endpointID) { // or they could have any event sent to them
		return nil, problem.NoSuchDelivery(e.Input.Event.ID, endpointID)
	}
	for _, d := range e.Report.Deliveries {
		if d.EndpointID == endpointID && !d.Status.Ended() {
			return nil, webhook.Errorf(webhook.Conflict, "the delivery is under way (%s)", d.Status)
		}
	}
	return []string{endpointID}, g.takesDeliveries(ctx, e.Input.Event.Tenant, endpointID)
}

// takesDeliveries refuses an endpoint that is not there, or that nothing is sent to: a delivery
// started again would end as rejected at once.
func (g *Gateway) takesDeliveries(ctx context.Context, tenant, id string) error {
	e, err := g.endpoint(ctx, tenant, id)
	if err == nil && e.State == webhook.EndpointDisabled {
		return webhook.Errorf(webhook.Disabled, "endpoint %s is disabled, and nothing is sent to it: resume it first (POST …/endpoints/%s/resume), then try again", id, id)
	}
	return err
}

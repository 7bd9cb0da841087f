package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/gateway/confined"
	"hookloop/gateway/problem"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

func (g *Gateway) deliveryRoutes(to huma.API) {
	const (
		event    = "/v1/tenants/{tenant}/events/{id}"
		delivery = event + "/deliveries/{endpoint_id}"
	)
	route(g, to, operation{
		id: "retry-delivery-now", tag: tagDeliveries, refuses: []api.Code{api.Conflict}, method: http.MethodPost, path: delivery + "/retry-now", scope: api.EventsWrite, status: http.StatusAccepted,
		summary: "Make a waiting delivery's next attempt now",
		text: "The schedule goes on behind it; an open breaker or a spent rate limit still defers it. Answers how the delivery stood when the order came. " +
			"`conflict` if it is not waiting: it has ended, or an early attempt is under way or comes within seconds.",
		example: instruction,
	}, g.retryNow)
	route(g, to, operation{
		id: "cancel-delivery", tag: tagDeliveries, refuses: []api.Code{api.Conflict}, method: http.MethodPost, path: delivery + "/cancel", scope: api.EventsWrite, status: http.StatusAccepted,
		summary: "End a waiting delivery",
		text: "It ends as `cancelled`, with the reason; an attempt under way is waited for, and counts. " +
			"Answers how the delivery stood when the order came. `conflict` if it is not waiting.",
		example: instruction,
	}, g.cancelDelivery)
	route(g, to, operation{
		id: "redeliver-event", tag: tagDeliveries, refuses: []api.Code{api.Conflict, api.EndpointIsDisabled, api.HistoryExpired, api.Erased}, method: http.MethodPost, path: event + "/redeliver", scope: api.EventsWrite, within: getTimeout, status: http.StatusAccepted,
		summary: "Deliver an event again",
		text: "Without `endpoint_id`, every delivery that ended undelivered; with one, the delivery to any endpoint of the tenant, delivered or not, wanted or not. It is the same event: " +
			"the same `webhook-id`, the same bytes. `conflict` if nothing can be redelivered now, `history_expired` (410) " +
			"once the history is gone, and for an id that never was one: the two cannot be told apart.",
		example:  map[string]any{"endpoint_id": "ep_01jzc8k0a2n4p6r8s0t2v4w6x8"},
		admitted: true, cost: posts,
	}, g.redeliverEvent)
}

// orderDelivery is what an operator orders a waiting delivery to do.
type orderDelivery struct {
	body[api.Instruction]
	DeliveryPath
}

func (g *Gateway) retryNow(ctx context.Context, in *orderDelivery) (*answerOf[api.Delivery], error) {
	return g.order(ctx, in, g.cfg.Events.RetryNow)
}

func (g *Gateway) cancelDelivery(ctx context.Context, in *orderDelivery) (*answerOf[api.Delivery], error) {
	return g.order(ctx, in, g.cfg.Events.CancelDelivery)
}

// instruct passes an instruction on to a delivery.
type instruct func(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) (webhook.DeliveryReport, error)

// order gives an order to the delivery's workflow and answers what the delivery said to it.
func (g *Gateway) order(ctx context.Context, in *orderDelivery, do instruct) (*answerOf[api.Delivery], error) {
	if auth.Of(ctx).IsConfined() {
		e, err := g.event(ctx, in.Tenant, in.ID)
		if err != nil {
			return nil, err
		}
		if err := confined.MayOrder(ctx, e, in.EndpointID); err != nil {
			return nil, err
		}
	}
	report, err := do(ctx, in.Tenant, in.ID, in.EndpointID, webhook.Instruction{By: subject(ctx), Reason: in.value.Reason})
	if errors.Is(err, orchestrator.ErrNotWaiting) {
		err = g.notWaiting(ctx, in)
	}
	report.Reason = confined.Reason(ctx, report.Reason)
	return answered(deliveries([]webhook.DeliveryReport{report})[0], g.unlessErased(ctx, in.Tenant, in.ID, err))
}

// notWaiting says why a delivery has no workflow to take an order.
func (g *Gateway) notWaiting(ctx context.Context, in *orderDelivery) error {
	e, err := g.event(ctx, in.Tenant, in.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(e.Report.Deliveries, func(d webhook.DeliveryReport) bool { return d.EndpointID == in.EndpointID })
	if i < 0 {
		return problem.NoSuchDelivery(in.ID, in.EndpointID)
	}
	d := e.Report.Deliveries[i]
	why := fmt.Sprintf("it has ended (%s)", d.Status)
	switch {
	case !d.Status.Ended() && d.NextAttemptAt != nil:
		why = "its next attempt is at " + d.NextAttemptAt.UTC().Format(time.RFC3339)
	case !d.Status.Ended():
		why = "an attempt is under way"
	case d.Status == webhook.Delivered && d.WorkflowID == "" && len(d.Attempts) == 1:
		why = "it was delivered at the first attempt"
	}
	return webhook.Errorf(webhook.Conflict, "the delivery is not waiting: %s", why)
}

// Examples of what goes with an operator's wish.
var (
	instruction    = map[string]any{"reason": "the customer has mended their firewall"}
	releaseExample = map[string]any{"reason": "the customer has mended their firewall", "rate_per_second": 50}
)

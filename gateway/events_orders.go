package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// maxReason bounds what an operator may say, in bytes: it stands in the history and in the UI.
const maxReason = 1 << 10

// orderDelivery is what an operator orders a waiting delivery to do.
type orderDelivery struct {
	request
	Tenant     string `path:"tenant"`
	ID         string `path:"id" example:"evt_01jzc8m3v7q2w5x9y1b4d6f8hk"`
	EndpointID string `path:"endpoint_id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

func (g *Gateway) retryNow(ctx context.Context, in *orderDelivery) (*answerOf[delivery], error) {
	return g.order(ctx, in, g.events.RetryNow)
}

func (g *Gateway) cancelDelivery(ctx context.Context, in *orderDelivery) (*answerOf[delivery], error) {
	return g.order(ctx, in, g.events.CancelDelivery)
}

// instruct passes an instruction on to a delivery.
type instruct func(ctx context.Context, tenant, eventID, endpointID string, v webhook.Verb) (webhook.DeliveryReport, error)

// order gives an order to the delivery's workflow and answers what the delivery said to it.
func (g *Gateway) order(ctx context.Context, in *orderDelivery, do instruct) (*answerOf[delivery], error) {
	body, err := in.body(true)
	if err != nil {
		return nil, err
	}
	reason, err := parseOrder(body)
	if err != nil {
		return nil, err
	}
	switch {
	case !eventID.MatchString(in.ID):
		return nil, noSuchEvent()
	case !endpointID.MatchString(in.EndpointID):
		return nil, noSuchDelivery(in.ID, in.EndpointID)
	}
	report, err := do(ctx, in.Tenant, in.ID, in.EndpointID, webhook.Verb{By: subject(ctx), Reason: reason})
	if errors.Is(err, orchestrator.ErrNotWaiting) {
		err = g.notWaiting(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	return &answerOf[delivery]{Body: deliveries([]webhook.DeliveryReport{report})[0]}, nil
}

// notWaiting says why a delivery has no workflow to take an order.
func (g *Gateway) notWaiting(ctx context.Context, in *orderDelivery) error {
	e, err := g.event(ctx, in.Tenant, in.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(e.Report.Deliveries, func(d webhook.DeliveryReport) bool { return d.EndpointID == in.EndpointID })
	if i < 0 {
		return noSuchDelivery(in.ID, in.EndpointID)
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

func noSuchDelivery(eventID, endpointID string) error {
	return webhook.Errorf(webhook.NotFound, "event %s has no delivery to endpoint %.40s", eventID, endpointID)
}

// parseOrder reads {"reason"?}; the body may be missing altogether.
func parseOrder(body []byte) (reason string, err error) {
	if len(body) == 0 {
		return "", nil
	}
	all, err := fields(body)
	if err != nil {
		return "", err
	}
	for _, f := range all {
		if f.name != "reason" {
			return "", webhook.Invalidf(f.name, "is not a field of an order (reason)")
		}
		if err := setReason(&reason, f); err != nil {
			return "", err
		}
	}
	return reason, nil
}

func setReason(reason *string, f field) error {
	if json.Unmarshal(f.value, reason) != nil {
		return webhook.Invalidf("reason", "must be a string")
	}
	if n := len(*reason); n > maxReason {
		return webhook.Invalidf("reason", "has %d bytes, at most %d are allowed", n, maxReason)
	}
	return nil
}

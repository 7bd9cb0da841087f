package gateway

import (
	"bytes"
	"context"
	"fmt"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// repeat answers a post whose Idempotency-Key was used before: like the original if it is the same
// event, and never with a second one.
func (g *Gateway) repeat(ctx context.Context, p posted) (*accepted, error) {
	first, data, err := g.started(ctx, workflows.EventWorkflowID(p.Tenant, p.ID), "")
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", p.ID, err)
	}
	same := first.Event.Type == p.Type && bytes.Equal(data, p.data) &&
		(!p.dated || first.Event.Timestamp.Equal(p.Timestamp))
	if !same {
		return nil, webhook.Errorf(IdempotencyConflict, "this Idempotency-Key was used for another event, %s", p.ID)
	}
	return answer(first.Event, first.EndpointIDs, true), nil
}

// started reads what an event's workflow was started with: the first thing in its history.
func (g *Gateway) started(ctx context.Context, workflowID, runID string) (workflows.EventInput, []byte, error) {
	var in workflows.EventInput
	var raw converter.RawValue
	if err := g.input(ctx, workflowID, runID, &in, &raw); err != nil {
		return in, nil, err
	}
	if in.Event.Stored == 0 || g.bodies == nil {
		return in, raw.Payload().GetData(), nil
	}
	data, err := g.bodies.Data(ctx, in.Event, raw.Payload())
	if err != nil && webhook.CodeOf(err) != webhook.NotFound {
		err = registryErr(err)
	}
	return in, data, err
}

// input reads the arguments a workflow was started with.
func (g *Gateway) input(ctx context.Context, workflowID, runID string, into ...any) error {
	history := g.temporal.GetWorkflowHistory(ctx, workflowID, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	if !history.HasNext() {
		return noSuchEvent()
	}
	first, err := history.Next()
	if err != nil {
		return temporalErr(err)
	}
	if err := g.converter.FromPayloads(first.GetWorkflowExecutionStartedEventAttributes().GetInput(), into...); err != nil {
		return fmt.Errorf("input of %s: %w", workflowID, err)
	}
	return nil
}

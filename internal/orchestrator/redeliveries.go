package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Registry is what Redeliveries asks about endpoints, and where it notes what it starts: Temporal
// has no list of an event's deliveries that could be asked for often.
type Registry interface {
	Endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error)
	NoteRedelivery(ctx context.Context, tenant, eventID, endpointID string, now time.Time) error
}

// Redeliveries starts finished deliveries again and finds those that ended undelivered. It knows
// what can be redelivered and how; who may ask for it is the gateway's to decide, and at what pace
// a Recovery's.
type Redeliveries struct {
	link

	registry Registry
}

// Redeliveries is the part that starts deliveries again.
func (o *Orchestrator) Redeliveries(r Registry) *Redeliveries {
	return &Redeliveries{link: o.link, registry: r}
}

// Redeliver starts a new run of a Delivery, with the same webhook-id as ever and a schedule from
// its beginning, or the first one of an endpoint that the event was not accepted for. The caller
// knows that the delivery has ended: one still in the fast lane of its Event has no workflow that
// could tell. The error is webhook.Expired when the event's history is gone, webhook.Conflict when
// a Delivery is under way, webhook.Disabled when nothing goes to the endpoint and webhook.NotFound
// when there is none; one without a code is an AwayError, or ours.
func (r *Redeliveries) Redeliver(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) error {
	in, runID, err := r.event(ctx, tenant, eventID)
	if err != nil {
		return err
	}
	if err := r.takes(ctx, tenant, endpointID); err != nil {
		return err
	}
	if err := r.registry.NoteRedelivery(ctx, tenant, eventID, endpointID, time.Now()); err != nil {
		return &AwayError{what: theRegistry, cause: err}
	}
	input := workflows.DeliveryInput{Event: in.Event, EventRunID: runID, EndpointID: endpointID, Redelivery: &why}
	_, err = r.client.ExecuteWorkflow(ctx, deliveryOptions(in.Event, endpointID), workflows.TypeDelivery, input)
	if _, running := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); running {
		return webhook.Errorf(webhook.Conflict, "the delivery of event %s to endpoint %s is under way", eventID, endpointID)
	}
	if err != nil {
		return fmt.Errorf("redelivery of event %s to endpoint %s: %w", eventID, endpointID, failed(err))
	}
	return nil
}

func (r *Redeliveries) endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error) {
	e, err := r.registry.Endpoint(ctx, tenant, id)
	return e, registryErr(err)
}

// takes refuses an endpoint that nothing is sent to: what was started would end as rejected at
// once, and its person would hear that it had been redelivered.
func (r *Redeliveries) takes(ctx context.Context, tenant, id string) error {
	e, err := r.endpoint(ctx, tenant, id)
	if err == nil && e.State == webhook.EndpointDisabled {
		return webhook.Errorf(webhook.Disabled, "endpoint %s is disabled, and nothing is sent to it", id)
	}
	return err
}

// event reads what the event was accepted with, and which run holds its data.
func (r *Redeliveries) event(ctx context.Context, tenant, id string) (workflows.EventInput, string, error) {
	var in workflows.EventInput
	workflowID := workflows.EventWorkflowID(tenant, id)
	described, err := r.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return in, "", eventErr(id, err)
	}
	runID := described.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	in, _, err = r.eventInput(ctx, workflowID, runID) // the Delivery reads the data for itself
	if err != nil {
		return in, "", eventErr(id, err)
	}
	return in, runID, nil
}

func eventErr(id string, err error) error {
	if unknown(err) {
		return webhook.Errorf(webhook.Expired, "the history of event %s is gone, and its data with it", id)
	}
	return fmt.Errorf("event %s: %w", id, failed(err))
}

// deliveryOptions make the Delivery one of its own: its Event may have ended long ago.
func deliveryOptions(e webhook.Event, endpointID string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                                       workflows.DeliveryWorkflowID(e.Tenant, e.ID, endpointID),
		TaskQueue:                                workflows.TaskQueue,
		WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		Priority:                                 temporal.Priority{FairnessKey: e.Tenant}, // a recovery starts thousands
		StaticSummary:                            fmt.Sprintf("%s → %s (redelivery)", e.Type, endpointID),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			workflows.Tenant.ValueSet(e.Tenant),
			workflows.EventType.ValueSet(e.Type),
			workflows.Endpoint.ValueSet(endpointID),
			workflows.Outcome.ValueSet(string(webhook.Pending)),
		),
	}
}

// Package redelivery starts finished deliveries again and finds those that ended undelivered. It
// knows what can be redelivered and how; who may ask for it is the gateway's to decide, and at what
// pace a Recovery's. Both reach it through interfaces of their own; cmd puts them together.
package redelivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// deliveryWorkflow is the type of the workflow that carries a delivery.
const deliveryWorkflow = "Delivery"

// Client is the part of the Temporal client that is needed here; client.Client is one.
type Client interface {
	ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
	GetWorkflowHistory(ctx context.Context, workflowID, runID string, longPoll bool, filter enums.HistoryEventFilterType) client.HistoryEventIterator
	ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
	CountWorkflow(ctx context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error)
}

var _ Client = client.Client(nil)

// Registry is what Redeliveries asks about endpoints, and where it notes what it starts: Temporal has no list of
// an event's deliveries that could be asked for often.
type Registry interface {
	Endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error)
	NoteRedelivery(ctx context.Context, tenant, eventID, endpointID string, now time.Time) error
}

// Redeliveries starts deliveries again. It keeps nothing: what it says is what Temporal knows.
type Redeliveries struct {
	client     Client
	registry   Registry
	converter  converter.DataConverter
	attributes converter.DataConverter // search attributes are never encrypted
}

// New works through c, whose data converter is dc.
func New(c Client, dc converter.DataConverter, r Registry) *Redeliveries {
	return &Redeliveries{client: c, registry: r, converter: dc, attributes: converter.GetDefaultDataConverter()}
}

// Redeliver starts a new run of a Delivery, with the same webhook-id as ever and a schedule from its
// beginning, or the first one of an endpoint that the event was not accepted for. The caller knows that
// the delivery has ended: one still in the fast lane of its Event has no workflow that could tell. The
// error is webhook.Expired when the event's history is gone, webhook.Conflict when a Delivery is under way,
// webhook.Disabled when nothing goes to the endpoint and webhook.NotFound when there is none; one without a
// code is Temporal's, or an AwayError.
func (r *Redeliveries) Redeliver(ctx context.Context, tenant, eventID, endpointID string, v webhook.Verb) error {
	in, runID, err := r.event(ctx, tenant, eventID)
	if err != nil {
		return err
	}
	if err := r.takes(ctx, tenant, endpointID); err != nil {
		return err
	}
	if err := r.registry.NoteRedelivery(ctx, tenant, eventID, endpointID, time.Now()); err != nil {
		return &AwayError{err}
	}
	input := workflows.DeliveryInput{Event: in.Event, EventRunID: runID, EndpointID: endpointID, Redelivery: &v}
	_, err = r.client.ExecuteWorkflow(ctx, options(in.Event, endpointID), deliveryWorkflow, input)
	if _, running := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); running {
		return webhook.Errorf(webhook.Conflict, "the delivery of event %s to endpoint %s is under way", eventID, endpointID)
	}
	if err != nil {
		return fmt.Errorf("redelivery of event %s to endpoint %s: %w", eventID, endpointID, err)
	}
	return nil
}

// AwayError says that the registry is out of reach.
type AwayError struct{ cause error }

func (e *AwayError) Error() string { return "registry: " + e.cause.Error() }
func (e *AwayError) Unwrap() error { return e.cause }

// Away names what is out of reach.
func (e *AwayError) Away() string { return "the registry" }

func (r *Redeliveries) endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error) {
	e, err := r.registry.Endpoint(ctx, tenant, id)
	if err != nil && webhook.CodeOf(err) == "" {
		err = &AwayError{err}
	}
	return e, err
}

// takes refuses an endpoint that nothing is sent to: what was started would end as rejected at once, and its
// person would hear that it had been redelivered.
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
	first, err := r.client.GetWorkflowHistory(ctx, workflowID, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		return in, "", eventErr(id, err)
	}
	var data converter.RawValue // the second argument; the Delivery reads it for itself
	if err := r.converter.FromPayloads(first.GetWorkflowExecutionStartedEventAttributes().GetInput(), &in, &data); err != nil {
		return in, "", fmt.Errorf("input of %s: %w", workflowID, err)
	}
	return in, runID, nil
}

func eventErr(id string, err error) error {
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
		return webhook.Errorf(webhook.Expired, "the history of event %s is gone, and its data with it", id)
	}
	return fmt.Errorf("event %s: %w", id, err)
}

// options make the Delivery one of its own: its Event may have ended long ago.
func options(e webhook.Event, endpointID string) client.StartWorkflowOptions {
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

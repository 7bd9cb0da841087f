// Package approvals is how everybody else talks to the workflows that ask people: senders report how
// endpoints fare, the gateway passes on what people decide. What follows from it is the workflow's.
package approvals

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// approvalWorkflow is the type of the workflow that carries an approval.
const approvalWorkflow = "Approval"

// Client is the part of the Temporal client that is needed here; client.Client is one.
type Client interface {
	SignalWithStartWorkflow(ctx context.Context, workflowID, signal string, arg any, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
	SignalWorkflow(ctx context.Context, workflowID, runID, signal string, arg any) error
	UpdateWorkflow(ctx context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error)
	QueryWorkflow(ctx context.Context, workflowID, runID, queryType string, args ...any) (converter.EncodedValue, error)
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
	ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
}

var _ Client = client.Client(nil)

// Approvals reaches the approvals of all tenants. It keeps nothing: what it says is what Temporal knows.
type Approvals struct{ client Client }

// New works through c.
func New(c Client) *Approvals { return &Approvals{client: c} }

// Resume lets an endpoint's deliveries go without asking: what a pause, a rejection or an approval that
// was stopped had held.
func (a *Approvals) Resume(ctx context.Context, tenant, endpointID string, d webhook.Decision) error {
	return a.tell(ctx, tenant, endpointID, workflows.SignalResume, d)
}

// End ends an endpoint's episode. A deleted endpoint gets one if it has none, which ends its
// deliveries; of a paused one nothing more is to be done than to end it.
func (a *Approvals) End(ctx context.Context, tenant, endpointID string, e webhook.End) error {
	if e.Kind == webhook.EndDeleted {
		return a.tell(ctx, tenant, endpointID, workflows.SignalEnd, e)
	}
	return a.signal(ctx, tenant, endpointID, workflows.SignalEnd, e)
}

// tell signals an endpoint's approval, and starts one if none is open.
func (a *Approvals) tell(ctx context.Context, tenant, endpointID, signal string, arg any) error {
	id := workflows.ApprovalWorkflowID(tenant, endpointID)
	_, err := a.client.SignalWithStartWorkflow(ctx, id, signal, arg, client.StartWorkflowOptions{
		ID:                    id,
		TaskQueue:             workflows.TaskQueue,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         "approval of " + endpointID,
		Priority:              temporal.Priority{PriorityKey: 1, FairnessKey: tenant},
		TypedSearchAttributes: temporal.NewSearchAttributes(
			workflows.Tenant.ValueSet(tenant),
			workflows.Endpoint.ValueSet(endpointID),
			workflows.Outcome.ValueSet(string(webhook.ApprovalWatching)),
		),
	}, approvalWorkflow, workflows.ApprovalInput{Tenant: tenant, EndpointID: endpointID})
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	return nil
}

// signal tells an approval that may not be open, which is fine.
func (a *Approvals) signal(ctx context.Context, tenant, endpointID, signal string, arg any) error {
	id := workflows.ApprovalWorkflowID(tenant, endpointID)
	err := a.client.SignalWorkflow(ctx, id, "", signal, arg)
	if _, none := errors.AsType[*serviceerror.NotFound](err); none || err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", id, err)
}

// Approve lets a held endpoint's deliveries go. The error is webhook.NotFound when nothing was ever
// asked, and webhook.Conflict when there is nothing to decide now.
func (a *Approvals) Approve(ctx context.Context, tenant, endpointID string, d webhook.Decision) (webhook.ApprovalReport, error) {
	return a.decide(ctx, tenant, endpointID, workflows.UpdateApprove, d)
}

// Reject disables a held endpoint. Its errors are Approve's.
func (a *Approvals) Reject(ctx context.Context, tenant, endpointID string, d webhook.Decision) (webhook.ApprovalReport, error) {
	return a.decide(ctx, tenant, endpointID, workflows.UpdateReject, d)
}

func (a *Approvals) decide(ctx context.Context, tenant, endpointID, update string, d webhook.Decision) (r webhook.ApprovalReport, err error) {
	id := workflows.ApprovalWorkflowID(tenant, endpointID)
	handle, err := a.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: update, Args: []any{d}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &r)
	}
	if _, none := errors.AsType[*serviceerror.NotFound](err); none {
		return a.ended(ctx, tenant, endpointID)
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == workflows.TypeRefused {
		return r, webhook.Errorf(webhook.Conflict, "%s", app.Message())
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", id, err)
	}
	return r, nil
}

// ended says why there is nothing to decide.
func (a *Approvals) ended(ctx context.Context, tenant, endpointID string) (webhook.ApprovalReport, error) {
	r, err := a.Get(ctx, tenant, endpointID)
	if err != nil {
		return r, err
	}
	return r, webhook.Errorf(webhook.Conflict, "the approval has ended (%s: %s)", r.Status, r.Reason)
}

package orchestrator

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Approvals reaches the workflows that ask people, of all tenants: senders report how endpoints
// fare, the gateway passes on what people decide. What follows from it is the workflow's.
type Approvals struct{ link }

// Approvals is the part that speaks to approvals.
func (o *Orchestrator) Approvals() *Approvals { return &Approvals{o.link} }

// Failing reports an endpoint that keeps failing, and begins its episode if there is none.
func (a *Approvals) Failing(ctx context.Context, tenant, endpointID string, f webhook.Failing) error {
	return a.tell(ctx, tenant, endpointID, workflows.SignalFailing, f)
}

// Recovered reports what an endpoint took. If deliveries wait to hear of it, an episode that has
// ended already is no reason not to tell them: one begins for that.
func (a *Approvals) Recovered(ctx context.Context, tenant, endpointID string, took webhook.Answer, waiting bool) error {
	if waiting {
		return a.tell(ctx, tenant, endpointID, workflows.SignalRecovered, took)
	}
	return a.signal(ctx, workflows.ApprovalWorkflowID(tenant, endpointID), workflows.SignalRecovered, took)
}

// Resume lets an endpoint's deliveries go without asking: what a pause, a rejection or an approval
// that was stopped had held.
func (a *Approvals) Resume(ctx context.Context, tenant, endpointID string, d webhook.Decision) error {
	return a.tell(ctx, tenant, endpointID, workflows.SignalResume, d)
}

// End ends an endpoint's episode. A deleted endpoint gets one if it has none, which ends its
// deliveries; of a paused one nothing more is to be done than to end it.
func (a *Approvals) End(ctx context.Context, tenant, endpointID string, e webhook.End) error {
	if e.Kind == webhook.EndDeleted {
		return a.tell(ctx, tenant, endpointID, workflows.SignalEnd, e)
	}
	return a.signal(ctx, workflows.ApprovalWorkflowID(tenant, endpointID), workflows.SignalEnd, e)
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
	}, workflows.TypeApproval, workflows.ApprovalInput{Tenant: tenant, EndpointID: endpointID})
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	return nil
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
	err = a.update(ctx, client.UpdateWorkflowOptions{WorkflowID: id, UpdateName: update, Args: []any{d}}, d.By, &r)
	if unknown(err) {
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

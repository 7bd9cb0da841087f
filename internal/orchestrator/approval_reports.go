package orchestrator

import (
	"context"
	"fmt"

	"go.temporal.io/api/enums/v1"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Get tells how the latest approval of an endpoint stands, or stood when it ended. The error is
// webhook.NotFound when there is none, or its history is gone.
func (a *Approvals) Get(ctx context.Context, tenant, endpointID string) (webhook.ApprovalReport, error) {
	id := workflows.ApprovalWorkflowID(tenant, endpointID)
	d, err := a.client.DescribeWorkflowExecution(ctx, id, "")
	if unknown(err) {
		return webhook.ApprovalReport{}, webhook.Errorf(webhook.NotFound, "endpoint %s has had no approval, or its history is gone", endpointID)
	}
	if err != nil {
		return webhook.ApprovalReport{}, fmt.Errorf("%s: %w", id, err)
	}
	return a.report(ctx, execution(d.GetWorkflowExecutionInfo()))
}

// List gives a page of a tenant's approvals in one status, or of all that have not ended, and where
// the next page begins.
func (a *Approvals) List(ctx context.Context, tenant string, status webhook.ApprovalStatus, limit int, page []byte) ([]webhook.ApprovalReport, []byte, error) {
	found, next, err := a.list(ctx, approvalsOf(tenant, status), limit, page)
	if err != nil {
		return nil, nil, fmt.Errorf("approvals of %s: %w", tenant, err)
	}
	reports := []webhook.ApprovalReport{}
	for _, x := range found {
		r, err := a.report(ctx, x)
		if unknown(err) {
			continue // its history is gone, and the list a moment behind
		}
		if err != nil {
			return nil, nil, err
		}
		reports = append(reports, r)
	}
	return reports, next, nil
}

func approvalsOf(tenant string, status webhook.ApprovalStatus) query {
	all := []query{ofType(workflows.TypeApproval), is(workflows.Tenant, tenant)}
	if !status.Ended() { // a run that was terminated or goes on as another keeps the Outcome it had
		all = append(all, running)
	}
	if status != "" {
		all = append(all, is(workflows.Outcome, string(status)))
	}
	return where(all...)
}

// report asks a run. One that was terminated cannot say so itself.
func (a *Approvals) report(ctx context.Context, x Execution) (r webhook.ApprovalReport, err error) {
	v, err := a.client.QueryWorkflow(ctx, x.WorkflowID, x.RunID, workflows.QueryReport)
	if err == nil {
		err = v.Get(&r)
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", x.WorkflowID, err)
	}
	if x.status == enums.WORKFLOW_EXECUTION_STATUS_TERMINATED {
		r.Status, r.Reason = webhook.ApprovalCancelled, "the approval was terminated; resume the endpoint to go on"
	}
	r.RunID = x.RunID
	return r, nil
}

package approvals

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Get tells how the latest approval of an endpoint stands, or stood when it ended. The error is
// webhook.NotFound when there is none, or its history is gone.
func (a *Approvals) Get(ctx context.Context, tenant, endpointID string) (webhook.ApprovalReport, error) {
	id := workflows.ApprovalWorkflowID(tenant, endpointID)
	d, err := a.client.DescribeWorkflowExecution(ctx, id, "")
	if _, none := errors.AsType[*serviceerror.NotFound](err); none {
		return webhook.ApprovalReport{}, webhook.Errorf(webhook.NotFound, "nobody was asked about endpoint %s, or the history of it is gone", endpointID)
	}
	if err != nil {
		return webhook.ApprovalReport{}, fmt.Errorf("%s: %w", id, err)
	}
	return a.report(ctx, d.GetWorkflowExecutionInfo())
}

// List gives a page of a tenant's approvals in one status, or of all that have not ended, and where the
// next page begins.
func (a *Approvals) List(ctx context.Context, tenant string, status webhook.ApprovalStatus, limit int, page []byte) ([]webhook.ApprovalReport, []byte, error) {
	found, err := a.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: int32(limit), NextPageToken: page, Query: query(tenant, status),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("approvals of %s: %w", tenant, err)
	}
	reports := []webhook.ApprovalReport{}
	for _, x := range found.GetExecutions() {
		r, err := a.report(ctx, x)
		if _, none := errors.AsType[*serviceerror.NotFound](err); none {
			continue // its history is gone, and the list a moment behind
		}
		if err != nil {
			return nil, nil, err
		}
		reports = append(reports, r)
	}
	return reports, found.GetNextPageToken(), nil
}

func query(tenant string, status webhook.ApprovalStatus) string {
	all := []string{"WorkflowType = '" + approvalWorkflow + "'", fmt.Sprintf("%s = '%s'", workflows.Tenant.GetName(), tenant)}
	if !status.Ended() { // a run that was terminated or goes on as another keeps the Outcome it had
		all = append(all, "ExecutionStatus = 'Running'")
	}
	if status != "" {
		all = append(all, fmt.Sprintf("%s = '%s'", workflows.Outcome.GetName(), status))
	}
	return strings.Join(all, " AND ")
}

// report asks a run. One that was terminated cannot say so itself.
func (a *Approvals) report(ctx context.Context, x *workflowpb.WorkflowExecutionInfo) (r webhook.ApprovalReport, err error) {
	id, run := x.GetExecution().GetWorkflowId(), x.GetExecution().GetRunId()
	v, err := a.client.QueryWorkflow(ctx, id, run, workflows.QueryReport)
	if err == nil {
		err = v.Get(&r)
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", id, err)
	}
	if x.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_TERMINATED {
		r.Status, r.Reason = webhook.ApprovalCancelled, "the approval was terminated; resume the endpoint to go on"
	}
	r.RunID = run
	return r, nil
}

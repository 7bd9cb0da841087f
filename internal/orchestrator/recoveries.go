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

// Recoveries starts the workflows that redeliver at a pace, says how far they are, and ends them.
type Recoveries struct{ link }

// Recoveries is the part that speaks to recoveries.
func (o *Orchestrator) Recoveries() *Recoveries { return &Recoveries{o.link} }

// RecoveryStatus is how a recovery stands. Its values are those of the API.
type RecoveryStatus string

// A recovery was cancelled also if its workflow was terminated.
const (
	RecoveryRunning   RecoveryStatus = "running"
	RecoveryCompleted RecoveryStatus = "completed"
	RecoveryCancelled RecoveryStatus = "cancelled"
	RecoveryFailed    RecoveryStatus = "failed"
)

// RecoveryState is how far the latest recovery of an endpoint is, or came.
type RecoveryState struct {
	Status            RecoveryStatus
	Reason            string                  // why it ended early; empty: it did not
	Input             workflows.RecoveryInput // what it was started with
	Report            workflows.RecoveryReport
	WorkflowID, RunID string
}

// ErrRecovering says that a recovery of the endpoint is running.
var ErrRecovering = errors.New("a recovery of this endpoint is running")

// Start begins a recovery, and gives the id of its run; ErrRecovering says that one is under way.
func (r *Recoveries) Start(ctx context.Context, in workflows.RecoveryInput) (runID string, err error) {
	w := in.Window
	run, err := r.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       workflows.RecoveryWorkflowID(w.Tenant, w.EndpointID),
		TaskQueue:                                workflows.TaskQueue,
		WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            recoverySummary(w),
		TypedSearchAttributes: temporal.NewSearchAttributes(
			workflows.Tenant.ValueSet(w.Tenant),
			workflows.Endpoint.ValueSet(w.EndpointID),
		),
	}, workflows.TypeRecovery, in)
	if _, before := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); before {
		return "", ErrRecovering
	}
	if err != nil {
		return "", fmt.Errorf("recovery of %s: %w", w.EndpointID, failed(err))
	}
	return run.GetRunID(), nil
}

func recoverySummary(w webhook.Window) string {
	what := ""
	if w.Unmatched {
		what = "unmatched events for "
	}
	return fmt.Sprintf("recover %s%s since %s", what, w.EndpointID, w.Since.Format(time.RFC3339))
}

// State says how far the latest recovery of an endpoint is, or came; it may be older than the
// endpoint's deletion. The error carries webhook.NotFound when there was none, or its history is
// gone.
func (r *Recoveries) State(ctx context.Context, tenant, endpointID string) (RecoveryState, error) {
	d, err := r.latest(ctx, tenant, endpointID)
	if err != nil {
		return RecoveryState{}, err
	}
	s := RecoveryState{Status: d.recoveryStatus(), WorkflowID: d.WorkflowID, RunID: d.RunID}
	if err := r.input(ctx, d.WorkflowID, d.RunID, &s.Input); err != nil {
		return s, recoveryErr(endpointID, noSuch("recovery", err))
	}
	if s.Report, s.Reason, err = r.recoveryReport(ctx, d, s.Input); err != nil {
		return s, fmt.Errorf("recovery of %s: %w", endpointID, err)
	}
	if s.Report.Stopped != "" {
		s.Status, s.Reason = RecoveryFailed, s.Report.Stopped
	}
	return s, nil
}

// recoveryReport falls back on what a run before this one had done.
func (r *Recoveries) recoveryReport(ctx context.Context, d described, start workflows.RecoveryInput) (report workflows.RecoveryReport, reason string, err error) {
	switch {
	case d.fresh:
		return start.Report, "", nil
	case d.status == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		err := r.result(ctx, d, "recovery", &report)
		return report, "", err
	}
	err = r.report(ctx, d, "recovery", &report)
	if d.abandoned() == "" {
		return report, "", err
	}
	if err != nil {
		report = start.Report
	}
	return report, d.closeReason(err), nil
}

func (d described) recoveryStatus() RecoveryStatus {
	switch {
	case !d.over():
		return RecoveryRunning
	case d.status == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return RecoveryCompleted
	case d.status == enums.WORKFLOW_EXECUTION_STATUS_CANCELED, d.status == enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return RecoveryCancelled
	}
	return RecoveryFailed
}

// Cancel ends a recovery after the delivery at hand; what it has started goes on. It gives the run
// that ends. The error carries webhook.NotFound when there was none, and webhook.Conflict when it
// has ended already.
func (r *Recoveries) Cancel(ctx context.Context, tenant, endpointID string) (workflowID, runID string, err error) {
	d, err := r.latest(ctx, tenant, endpointID)
	if err != nil {
		return "", "", err
	}
	if d.over() {
		return "", "", webhook.Errorf(webhook.Conflict, "no recovery of this endpoint is running; the latest has ended (%s)", d.recoveryStatus())
	}
	err = r.client.CancelWorkflow(ctx, d.WorkflowID, "")
	if unknown(err) { // ended meanwhile
		return "", "", webhook.Errorf(webhook.Conflict, "the recovery of this endpoint has just ended")
	}
	if err != nil {
		return "", "", fmt.Errorf("recovery of %s: %w", endpointID, failed(err))
	}
	return d.WorkflowID, d.RunID, nil
}

func (r *Recoveries) latest(ctx context.Context, tenant, endpointID string) (described, error) {
	d, err := r.describe(ctx, workflows.RecoveryWorkflowID(tenant, endpointID), "recovery")
	return d, recoveryErr(endpointID, err)
}

func recoveryErr(endpointID string, err error) error {
	if webhook.CodeOf(err) == webhook.NotFound {
		return webhook.Errorf(webhook.NotFound, "endpoint %s was never recovered, or the history of it is gone", endpointID)
	}
	if err != nil {
		return fmt.Errorf("recovery of %s: %w", endpointID, err)
	}
	return nil
}

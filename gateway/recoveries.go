package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/accept"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// recoveryWorkflow is the type of the workflow that carries a recovery.
const recoveryWorkflow = "Recovery"

type startRecovery struct {
	request
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

type startedRecovery struct {
	DryRun     bool   `json:"dry_run"`
	Found      int    `json:"found" doc:"Events of the window that did not reach the endpoint. Above 50000 an upper bound: some may have been redelivered since; and above 500 that were accepted while several endpoints were disabled."`
	WorkflowID string `json:"workflow_id,omitempty" doc:"Absent after a dry run."`
	RunID      string `json:"run_id,omitempty"`
}

// startRecovery redelivers, at a pace, what an endpoint did not get, or what no endpoint wanted. A dry run only counts.
func (g *Gateway) startRecovery(ctx context.Context, in *startRecovery) (*answerOf[startedRecovery], error) {
	body, err := in.body(false)
	if err != nil {
		return nil, err
	}
	order, err := parseRecovery(body, g.now().UTC())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	if order.dryRun {
		_, err = g.endpoint(ctx, in.Tenant, in.ID)
	} else {
		err = g.takesDeliveries(ctx, in.Tenant, in.ID)
	}
	if err != nil {
		return nil, err
	}
	w := webhook.Window{Tenant: in.Tenant, EndpointID: in.ID, Since: order.since, Until: order.until, Unmatched: order.unmatched}
	out := startedRecovery{DryRun: order.dryRun}
	if out.Found, err = g.redeliveries.Count(ctx, w); err != nil {
		return nil, redeliveryErr(err)
	}
	if !order.dryRun {
		out.WorkflowID = workflows.RecoveryWorkflowID(in.Tenant, in.ID)
		out.RunID, err = g.recoverWindow(ctx, workflows.RecoveryInput{
			Window: w, RatePerSecond: order.rate, Verb: webhook.Verb{By: subject(ctx)},
		})
	}
	return &answerOf[startedRecovery]{Body: out}, err
}

func (g *Gateway) recoverWindow(ctx context.Context, in workflows.RecoveryInput) (runID string, err error) {
	w := in.Window
	run, err := g.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
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
	}, recoveryWorkflow, in)
	if accept.Before(err) {
		return "", webhook.Errorf(webhook.Conflict, "a recovery of this endpoint is running; GET …/recover tells how far it is, DELETE ends it")
	}
	if err != nil {
		return "", fmt.Errorf("recovery of %s: %w", w.EndpointID, temporalErr(err))
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

// recovery is how far the latest recovery of an endpoint is, or came.
type recovery struct {
	Status        string    `json:"status" enum:"running,completed,cancelled,failed"`
	Reason        string    `json:"reason,omitempty" doc:"Why it ended early, if it did."`
	Found         int       `json:"found" doc:"Events of the window that did not reach the endpoint, so far."`
	Redelivered   int       `json:"redelivered" doc:"Of them started again."`
	Skipped       int       `json:"skipped" doc:"Under way or delivered meanwhile, or their history is gone."`
	Since         time.Time `json:"since"`
	Until         time.Time `json:"until"`
	Unmatched     bool      `json:"unmatched,omitempty" doc:"It brings events that no endpoint wanted."`
	RatePerSecond float64   `json:"rate_per_second"`
	By            string    `json:"by" doc:"Who started it."`
	WorkflowID    string    `json:"workflow_id"`
	RunID         string    `json:"run_id"`
}

func (g *Gateway) getRecovery(ctx context.Context, in *endpointPath) (*answerOf[recovery], error) {
	x, err := g.recovery(ctx, in)
	if err != nil {
		return nil, err
	}
	var start workflows.RecoveryInput
	if err := g.input(ctx, x.id, x.runID, &start); err != nil {
		return nil, recoveryErr(in.ID, err)
	}
	report, reason, err := g.recoveryReport(ctx, x, start)
	if err != nil {
		return nil, fmt.Errorf("recovery of %s: %w", in.ID, err)
	}
	status := x.recoveryStatus()
	if report.Stopped != "" {
		status, reason = "failed", report.Stopped
	}
	return &answerOf[recovery]{Body: recovery{
		Status: status, Reason: reason,
		Found: report.Found, Redelivered: report.Redelivered, Skipped: report.Skipped,
		Since: start.Window.Since, Until: start.Window.Until, Unmatched: start.Window.Unmatched, RatePerSecond: start.RatePerSecond, By: start.Verb.By,
		WorkflowID: x.id, RunID: x.runID,
	}}, nil
}

// recoveryReport falls back on what a run before this one had done.
func (g *Gateway) recoveryReport(ctx context.Context, x execution, start workflows.RecoveryInput) (report workflows.RecoveryReport, reason string, err error) {
	switch {
	case x.fresh:
		return start.Report, "", nil
	case x.status == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		err := g.temporal.GetWorkflow(ctx, x.id, x.runID).Get(ctx, &report)
		return report, "", temporalErr(err)
	}
	err = g.ask(ctx, x, &report)
	if x.abandoned() == "" {
		return report, "", err
	}
	if err != nil {
		report = start.Report
	}
	return report, x.abandonedSo(err), nil
}

func (x execution) recoveryStatus() string {
	switch {
	case !x.closed():
		return "running"
	case x.status == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return "completed"
	case x.status == enums.WORKFLOW_EXECUTION_STATUS_CANCELED, x.status == enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "cancelled"
	}
	return "failed"
}

type endedRecovery struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
}

// cancelRecovery ends a recovery after the delivery at hand. What it has started goes on.
func (g *Gateway) cancelRecovery(ctx context.Context, in *endpointPath) (*answerOf[endedRecovery], error) {
	x, err := g.recovery(ctx, in)
	if err != nil {
		return nil, err
	}
	over := webhook.Errorf(webhook.Conflict, "no recovery of this endpoint is running; the latest has ended (%s)", x.recoveryStatus())
	if x.closed() {
		return nil, over
	}
	err = temporalErr(g.temporal.CancelWorkflow(ctx, x.id, ""))
	if webhook.CodeOf(err) == webhook.NotFound { // ended meanwhile
		return nil, webhook.Errorf(webhook.Conflict, "the recovery of this endpoint has just ended")
	}
	if err != nil {
		return nil, fmt.Errorf("recovery of %s: %w", in.ID, err)
	}
	return &answerOf[endedRecovery]{Body: endedRecovery{WorkflowID: x.id, RunID: x.runID}}, nil
}

// recovery finds the latest one of an endpoint; it may be older than the endpoint's deletion.
func (g *Gateway) recovery(ctx context.Context, in *endpointPath) (execution, error) {
	if !endpointID.MatchString(in.ID) {
		return execution{}, noSuchEndpoint()
	}
	x, err := g.describe(ctx, workflows.RecoveryWorkflowID(in.Tenant, in.ID))
	return x, recoveryErr(in.ID, err)
}

func recoveryErr(endpointID string, err error) error {
	if _, ok := errors.AsType[*webhook.Error](err); ok {
		return webhook.Errorf(webhook.NotFound, "endpoint %s was never recovered, or the history of it is gone", endpointID)
	}
	if err != nil {
		return fmt.Errorf("recovery of %s: %w", endpointID, err)
	}
	return nil
}
